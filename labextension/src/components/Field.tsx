import * as React from 'react';

/** What stands around an input: its name, a hint and what is wrong with it. */
export interface IFieldFrame {
  label: string;
  /** Limits and units, below the input. */
  hint?: React.ReactNode;
  error?: string;
  warning?: string;
  /** JSON Pointer of the submission's value; a check that names it leads here. */
  pointer?: string;
  required?: boolean;
  className?: string;
}

interface IControl {
  id: string;
  'aria-describedby'?: string;
  'aria-invalid'?: boolean;
  'aria-required'?: boolean;
  'data-pointer'?: string;
}

/** A labelled control; `children` draws it with the attributes it is given. */
export function Field({
  label,
  hint,
  error,
  warning,
  pointer,
  required,
  className = '',
  children
}: IFieldFrame & {
  children: (control: IControl) => React.ReactNode;
}): React.JSX.Element {
  const id = React.useId();
  const message = error ?? warning;
  const described = [
    message ? `${id}-message` : '',
    hint ? `${id}-hint` : ''
  ].filter(Boolean);
  return (
    <div
      className={`jp-slurmdash-Field ${error ? 'jp-mod-error' : ''} ${className}`}
    >
      <label htmlFor={id}>
        {label}
        {required ? <span aria-hidden="true"> *</span> : null}
      </label>
      {children({
        id,
        'aria-describedby': described.join(' ') || undefined,
        'aria-invalid': error ? true : undefined,
        'aria-required': required || undefined,
        'data-pointer': pointer
      })}
      {message && (
        <div
          id={`${id}-message`}
          className={`jp-slurmdash-Field-message jp-mod-${error ? 'error' : 'warning'}`}
        >
          {message}
        </div>
      )}
      {hint && (
        <div id={`${id}-hint`} className="jp-slurmdash-Field-hint">
          {hint}
        </div>
      )}
    </div>
  );
}

/** A field of one line of text. */
export function TextField({
  value,
  onChange,
  placeholder,
  inputMode,
  testId,
  maxLength,
  readOnly,
  ...frame
}: IFieldFrame & {
  value: string;
  onChange: (value: string) => void;
  placeholder?: string;
  inputMode?: 'text' | 'numeric' | 'decimal';
  testId?: string;
  maxLength?: number;
  readOnly?: boolean;
}): React.JSX.Element {
  return (
    <Field {...frame}>
      {control => (
        <input
          {...control}
          type="text"
          className="jp-slurmdash-Input"
          value={value}
          placeholder={placeholder}
          inputMode={inputMode}
          maxLength={maxLength}
          readOnly={readOnly}
          autoComplete="off"
          spellCheck={false}
          data-testid={testId}
          onChange={event => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

/** A field of a few fixed values. */
export function SelectField({
  value,
  onChange,
  options,
  testId,
  ...frame
}: IFieldFrame & {
  value: string;
  onChange: (value: string) => void;
  options: ReadonlyArray<{ value: string; label: string }>;
  testId?: string;
}): React.JSX.Element {
  return (
    <Field {...frame}>
      {control => (
        <Select
          {...control}
          value={value}
          options={options}
          data-testid={testId}
          onChange={event => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}

/** JupyterLab's own select, with labels of our choosing. */
export function Select({
  options,
  ...rest
}: React.SelectHTMLAttributes<HTMLSelectElement> & {
  options: ReadonlyArray<{ value: string; label: string }>;
  'data-testid'?: string;
  'data-pointer'?: string;
}): React.JSX.Element {
  return (
    <div className="jp-slurmdash-Select">
      <select {...rest}>
        {options.map(option => (
          <option key={option.value} value={option.value}>
            {option.label}
          </option>
        ))}
      </select>
    </div>
  );
}
