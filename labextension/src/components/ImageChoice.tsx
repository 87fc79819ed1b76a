import * as React from 'react';

import { Select } from './Field';
import { EVERYTHING, indexOf, newestOnly } from './imageindex';
import type { IImageFilter, IImageRow, ImageFacts } from './imageindex';
import { ImageLine, ImagePreview, typeWord } from './ImageMarks';
import { moved } from './sight';
import { useTrans } from './trans';
import { VirtualList, optionId } from './VirtualList';

/** Pixels; the style sheet makes the same of it. */
export const ROW_HEIGHT = 48;

/** Rows that a page key moves by. */
const PAGE = 6;

interface IImageSearchOptions {
  images: ReadonlyArray<ImageFacts>;
  /** Ids of the images used lately, the latest first. */
  recent?: ReadonlyArray<string>;
  /** One row for all versions of an image. */
  grouped?: boolean;
  /** The partition to begin with. */
  partition?: string;
}

/** What one looks for, what is found, and where the keys are. */
export interface IImageSearch {
  filter: IImageFilter;
  setFilter: (change: Partial<IImageFilter>) => void;
  rows: ReadonlyArray<IImageRow>;
  active: number;
  setActive: (index: number) => void;
  index: ReturnType<typeof indexOf>;
}

const NONE: ReadonlyArray<string> = [];

/** A search in the catalogue, for a view that shows it as a list or as a field with a list. */
export function useImageSearch({
  images,
  recent = NONE,
  grouped = false,
  partition = ''
}: IImageSearchOptions): IImageSearch {
  const [filter, change] = React.useState({ ...EVERYTHING, partition });
  const [at, setActive] = React.useState(0);
  React.useEffect(() => {
    change(old => ({ ...old, partition }));
    setActive(0);
  }, [partition]);
  const index = indexOf(images);
  const rows = React.useMemo(() => {
    const found = index.search(filter, recent);
    return grouped ? newestOnly(found) : found;
  }, [index, filter, recent, grouped]);
  const setFilter = React.useCallback((part: Partial<IImageFilter>) => {
    change(old => ({ ...old, ...part }));
    setActive(0);
  }, []);
  const active = Math.min(at, rows.length - 1);
  return { filter, setFilter, rows, active, setActive, index };
}

/** Where a key leads in the list; false when the key means something else. */
export function moveBy(search: IImageSearch, key: string): boolean {
  const to = moved(key, search.active, search.rows.length, PAGE);
  if (to !== undefined) {
    search.setActive(to);
  }
  return to !== undefined;
}

/** The drop-downs above the list; one without a choice is left out. */
export function ImageFilters({
  search: { filter, setFilter, index },
  testId
}: {
  search: IImageSearch;
  testId: string;
}): React.JSX.Element {
  const trans = useTrans();
  const choices: Array<{
    name: 'partition' | 'type' | 'app';
    label: string;
    all: string;
    values: ReadonlyArray<string>;
  }> = [
    {
      name: 'partition',
      label: trans.__('Partition'),
      all: trans.__('All partitions'),
      values: index.partitions
    },
    {
      name: 'type',
      label: trans.__('Type'),
      all: trans.__('All types'),
      values: index.types
    },
    {
      name: 'app',
      label: trans.__('App'),
      all: trans.__('All apps'),
      values: index.apps
    }
  ];
  return (
    <div className="jp-slurmdash-Filters">
      {choices.map(({ name, label, all, values }) => (
        <Select
          key={name}
          aria-label={label}
          value={filter[name]}
          data-testid={`${testId}-${name}`}
          options={[
            { value: '', label: all },
            // A value that is gone stays, so that it can be seen why nothing is found.
            ...[
              ...(filter[name] && !values.includes(filter[name])
                ? [filter[name]]
                : []),
              ...values
            ].map(value => ({
              value,
              label: name === 'type' ? typeWord(trans, value) : value
            }))
          ]}
          onChange={event => setFilter({ [name]: event.target.value })}
        />
      ))}
    </div>
  );
}

/** What was found, and below it what tells the one at hand from the others. */
export function ImageRows({
  search: { rows, active, setActive },
  listId,
  label,
  partition,
  value,
  focusable,
  optionTestId,
  onChoose,
  onKeyDown
}: {
  search: IImageSearch;
  listId: string;
  label: string;
  /** Where the job shall run. */
  partition?: string;
  /** The one that is chosen. */
  value?: string | null;
  focusable?: boolean;
  optionTestId: string;
  onChoose: (image: ImageFacts) => void;
  onKeyDown?: (event: React.KeyboardEvent) => void;
}): React.JSX.Element {
  const [pointed, setPointed] = React.useState(-1);
  const shown = rows[pointed] ?? rows[active];
  const keyOf = React.useCallback((at: number) => rows[at].image.id, [rows]);
  return (
    <>
      <VirtualList
        id={listId}
        label={label}
        count={rows.length}
        rowHeight={ROW_HEIGHT}
        active={active}
        keyOf={keyOf}
        isDisabled={at => Boolean(rows[at].image.problem)}
        focusable={focusable}
        optionTestId={optionTestId}
        row={at => (
          <ImageLine
            row={rows[at]}
            partition={partition}
            chosen={rows[at].image.id === value}
          />
        )}
        onChoose={at => {
          setActive(at);
          onChoose(rows[at].image);
        }}
        onPoint={setPointed}
        onKeyDown={onKeyDown}
      />
      <ImagePreview id={`${listId}-preview`} image={shown?.image} />
    </>
  );
}

/** What a box that works the list says of it to a screen reader. */
export function listAttributes(
  { rows, active }: IImageSearch,
  listId: string,
  open: boolean
): React.AriaAttributes {
  const shown = open && rows.length > 0;
  return {
    'aria-expanded': shown,
    'aria-controls': shown ? listId : undefined,
    'aria-autocomplete': 'list',
    'aria-activedescendant': shown ? optionId(listId, active) : undefined
  };
}
