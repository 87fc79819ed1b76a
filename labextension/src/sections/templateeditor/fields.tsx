import * as React from 'react';

import { Field, SelectField, TextField } from '../../components/Field';
import { useTrans } from '../../components/trans';
import {
  shown,
  typed,
  valueAt,
  withValue,
  type Doc,
  type Path
} from './document';

/** The document that the fields of a form show and change. */
export interface IForm {
  doc: Doc;
  edit: (doc: Doc) => void;
  /** JSON Pointer → what is wrong there. */
  errors: ReadonlyMap<string, string>;
}

export const FormContext = React.createContext<IForm>({
  doc: {},
  edit: () => undefined,
  errors: new Map()
});

interface IFieldProps {
  path: Path;
  label: string;
  hint?: string;
  placeholder?: string;
  required?: boolean;
  className?: string;
}

function useValue(path: Path) {
  const { doc, edit, errors } = React.useContext(FormContext);
  const pointer = `/${path.join('/')}`;
  return {
    value: valueAt(doc, path),
    set: (value: unknown) => edit(withValue(doc, path, value)),
    error: errors.get(pointer),
    pointer,
    testId: `slurmdash-field-${path.join('-')}`
  };
}

/** One line of text, or a number. */
export function Line({
  path,
  kind = 'text',
  ...frame
}: IFieldProps & { kind?: 'text' | 'number' | 'size' }): React.JSX.Element {
  const { value, set, ...rest } = useValue(path);
  return (
    <TextField
      {...frame}
      {...rest}
      value={shown(value)}
      inputMode={kind === 'number' ? 'numeric' : 'text'}
      onChange={text => set(typed(text, kind))}
    />
  );
}

export function Choice({
  path,
  options,
  ...frame
}: IFieldProps & { options: readonly string[] }): React.JSX.Element {
  const trans = useTrans();
  const { value, set, ...rest } = useValue(path);
  const now = shown(value);
  const all = options.includes(now) || !now ? options : [...options, now];
  return (
    <SelectField
      {...frame}
      {...rest}
      value={now}
      options={[
        { value: '', label: trans.__('not set') },
        ...all.map(each => ({ value: each, label: each }))
      ]}
      onChange={text => set(text || undefined)}
    />
  );
}

/** Yes or no; taken out of the file when it is no. */
export function Tick({ path, ...frame }: IFieldProps): React.JSX.Element {
  const { value, set, testId, ...rest } = useValue(path);
  return (
    <Field {...frame} {...rest} className="jp-mod-inline">
      {control => (
        <input
          {...control}
          type="checkbox"
          checked={value === true}
          data-testid={testId}
          onChange={event => set(event.target.checked || undefined)}
        />
      )}
    </Field>
  );
}

/** Several lines of text. */
export function Lines({
  path,
  rows = 3,
  ...frame
}: IFieldProps & { rows?: number }): React.JSX.Element {
  const { value, set, testId, ...rest } = useValue(path);
  return (
    <Field {...frame} {...rest}>
      {control => (
        <textarea
          {...control}
          className="jp-slurmdash-Input jp-slurmdash-Area"
          rows={rows}
          value={shown(value)}
          data-testid={testId}
          onChange={event => set(event.target.value || undefined)}
        />
      )}
    </Field>
  );
}

/** A list of words: one a line, or with commas between. */
export function Words({
  path,
  separator,
  ...frame
}: IFieldProps & { separator: ',' | '\n' }): React.JSX.Element {
  const { value, set, testId, ...rest } = useValue(path);
  const list = Array.isArray(value) ? value.map(String) : [];
  const joined = list.join(separator === ',' ? ', ' : '\n');
  // What is typed stays as it is typed: a comma at the end would be lost on the way through the list.
  const [raw, setRaw] = React.useState(joined);
  const same = split(raw, separator).join('\n') === list.join('\n');
  const text = same ? raw : joined;
  const onChange = (next: string) => {
    setRaw(next);
    const words = split(next, separator);
    set(words.length ? words : undefined);
  };
  return (
    <Field {...frame} {...rest}>
      {control =>
        separator === ',' ? (
          <input
            {...control}
            type="text"
            className="jp-slurmdash-Input"
            value={text}
            autoComplete="off"
            spellCheck={false}
            data-testid={testId}
            onChange={event => onChange(event.target.value)}
          />
        ) : (
          <textarea
            {...control}
            className="jp-slurmdash-Input jp-slurmdash-Area"
            rows={Math.max(2, text.split('\n').length)}
            value={text}
            spellCheck={false}
            data-testid={testId}
            onChange={event => onChange(event.target.value)}
          />
        )
      }
    </Field>
  );
}

export function split(text: string, separator: ',' | '\n'): string[] {
  return text
    .split(separator)
    .map(word => word.trim())
    .filter(Boolean);
}

/** JSON, kept as it is typed until it can be read. */
export function Json({ path, ...frame }: IFieldProps): React.JSX.Element {
  const trans = useTrans();
  const { value, set, error, testId, ...rest } = useValue(path);
  const now = value === undefined ? '' : JSON.stringify(value, null, 2);
  const [raw, setRaw] = React.useState<string | null>(null);
  return (
    <Field
      {...frame}
      {...rest}
      error={raw !== null ? trans.__('This is not a JSON object yet.') : error}
    >
      {control => (
        <textarea
          {...control}
          className="jp-slurmdash-Input jp-slurmdash-Area jp-mod-code"
          rows={Math.min(12, Math.max(2, (raw ?? now).split('\n').length))}
          value={raw ?? now}
          spellCheck={false}
          data-testid={testId}
          onChange={event => {
            const text = event.target.value;
            const read = readObject(text);
            setRaw(read === null ? text : null);
            if (read !== null) {
              set(read);
            }
          }}
        />
      )}
    </Field>
  );
}

/** An object; undefined for no text; null for what is none. */
function readObject(text: string): Doc | undefined | null {
  if (!text.trim()) {
    return undefined;
  }
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && !Array.isArray(value)
      ? (value as Doc | null)
      : null;
  } catch {
    return null;
  }
}
