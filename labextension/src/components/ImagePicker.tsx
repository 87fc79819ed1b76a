import * as React from 'react';

import { ComboboxEnd, useAway, useInSight } from './comboparts';
import { Field, type IFieldFrame } from './Field';
import {
  ImageFilters,
  ImageRows,
  listAttributes,
  moveBy,
  useImageSearch
} from './ImageChoice';
import type { ImageFacts } from './imageindex';
import { problemOf } from './ImageMarks';
import { EmptyNote } from './Notes';
import { useTrans } from './trans';

interface IImagePickerProps extends IFieldFrame {
  images: ReadonlyArray<ImageFacts>;
  /** The chosen image's id. */
  value: string | null;
  /** Ids of the images used lately, the latest first. */
  recent?: ReadonlyArray<string>;
  /** Where the job shall run: images that are not there say so. */
  partition?: string;
  /** Show only the images of that partition, at first. */
  narrow?: boolean;
  /** The list pushes what follows down, where there is no room to lie over it. */
  inline?: boolean;
  placeholder?: string;
  /** What the list says while the catalogue is empty. */
  emptyText: string;
  testId: string;
  optionTestId: string;
  onChange: (id: string | null) => void;
}

/** A field for one image of a catalogue of thousands (WAI-ARIA combobox with a listbox). */
export function ImagePicker({
  images,
  value,
  recent,
  partition = '',
  narrow = false,
  inline = false,
  placeholder,
  emptyText,
  testId,
  optionTestId,
  onChange,
  ...frame
}: IImagePickerProps): React.JSX.Element {
  const trans = useTrans();
  const listId = React.useId();
  const [open, setOpen] = React.useState(false);
  const [typed, setTyped] = React.useState<string | null>(null);
  const input = React.useRef<HTMLInputElement>(null);
  const box = React.useRef<HTMLDivElement>(null);
  const popover = useInSight<HTMLDivElement>(open);
  const search = useImageSearch({
    images,
    recent,
    partition: narrow ? partition : ''
  });
  const { rows, active, setActive, setFilter } = search;
  const chosen = images.find(({ id }) => id === value);

  const gone =
    value && !chosen && images.length > 0
      ? trans.__('This image is no longer there. Choose another.')
      : undefined;

  const show = () => {
    if (!open) {
      setOpen(true);
      setActive(
        Math.max(
          0,
          rows.findIndex(row => row.image.id === value)
        )
      );
    }
  };
  const hide = React.useCallback(() => {
    setOpen(false);
    setTyped(null);
    setFilter({ query: '' });
  }, [setFilter]);
  const look = (query: string) => {
    setTyped(query);
    setFilter({ query });
    setOpen(true);
  };
  useAway(box, open, hide);

  const choose = (image: ImageFacts | undefined) => {
    if (image && !problemOf(trans, image)) {
      onChange(image.id);
      hide();
      input.current?.focus();
    }
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    const { key } = event;
    const caret = key === 'Home' || key === 'End';
    if (key === 'Enter' && open) {
      event.preventDefault();
      choose(rows[active]?.image);
    } else if (caret && (!open || (typed && !event.ctrlKey))) {
      // Within the typed words these move the caret.
    } else if (!open && (key === 'ArrowDown' || key === 'ArrowUp')) {
      event.preventDefault();
      show();
    } else if (open && moveBy(search, key)) {
      event.preventDefault();
    }
  };
  const onEscape = (event: React.KeyboardEvent) => {
    if (event.key === 'Escape' && open) {
      event.preventDefault();
      event.stopPropagation();
      hide();
      input.current?.focus();
    }
  };

  return (
    <Field {...frame} error={frame.error ?? gone}>
      {control => (
        <div className="jp-slurmdash-Combobox" ref={box} onKeyDown={onEscape}>
          <input
            {...control}
            {...listAttributes(search, listId, open)}
            ref={input}
            type="text"
            role="combobox"
            className="jp-slurmdash-Input"
            autoComplete="off"
            spellCheck={false}
            data-testid={testId}
            value={typed ?? chosen?.name ?? value ?? ''}
            placeholder={placeholder}
            onChange={event => look(event.target.value)}
            onClick={show}
            onFocus={event => event.target.select()}
            onKeyDown={onKeyDown}
          />
          <ComboboxEnd
            label={frame.label}
            clearable={Boolean(value)}
            input={input}
            onClear={() => onChange(null)}
            onOpen={show}
          />
          {open && (
            <div
              ref={popover}
              className={`jp-slurmdash-ImagePopover ${inline ? 'jp-mod-inline' : ''}`}
            >
              {images.length > 0 && (
                <ImageFilters search={search} testId={testId} />
              )}
              {rows.length > 0 ? (
                <ImageRows
                  search={search}
                  listId={listId}
                  label={frame.label}
                  partition={partition}
                  value={value}
                  optionTestId={optionTestId}
                  onChoose={choose}
                />
              ) : (
                <EmptyNote>
                  {images.length
                    ? trans.__('No image matches these filters.')
                    : emptyText}
                </EmptyNote>
              )}
            </div>
          )}
        </div>
      )}
    </Field>
  );
}
