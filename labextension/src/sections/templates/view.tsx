import {
  addIcon,
  fileUploadIcon,
  textEditorIcon
} from '@jupyterlab/ui-components';
import * as React from 'react';

import { Button, IconButton } from '../../components/Buttons';
import { Select } from '../../components/Field';
import { useHeldFocus } from '../../components/heldfocus';
import { EmptyNote, ErrorNote } from '../../components/Notes';
import { SearchBox } from '../../components/SearchBox';
import { useTrans } from '../../components/trans';
import { useModel } from '../../components/useModel';
import type { Order, Source, TemplatesModel } from './model';
import { DoneNote } from './notice';
import { TemplateRow } from './row';
import { isScript, nameOfFile, ScriptForm } from './scriptform';
import type { TemplatesSection } from './section';
import { categoryName, sourceName } from './words';

/** Rows of a shelf that are drawn at once; searching finds the others, too. */
const SHOWN = 100;

/** The library: search, filters, categories, and rows that can be walked by keys. */
export function TemplatesView(
  props: Omit<TemplatesSection.IOptions, 'translator'>
): React.JSX.Element {
  const { model, actions, onNew, onImport, onScript } = props;
  useModel(model);
  useModel(actions);
  const { script } = actions;
  useModel(script);
  const trans = useTrans();
  const [over, setOver] = React.useState(false);
  const { shelves } = model;
  const top = React.useRef<HTMLDivElement>(null);
  const held = useHeldFocus(top, () =>
    top.current!.querySelector<HTMLElement>('[aria-expanded]')
  );
  return (
    <div
      className={`jp-slurmdash-Library ${over ? 'jp-mod-over' : ''}`}
      onDragOver={event => {
        if (event.dataTransfer.types.includes('Files')) {
          event.preventDefault();
          setOver(true);
        }
      }}
      onDragLeave={() => setOver(false)}
      onDrop={event => {
        setOver(false);
        if (event.dataTransfer.files.length) {
          event.preventDefault();
          void takeFiles(event.dataTransfer.files, onImport, onScript);
        }
      }}
      onKeyDown={walk}
    >
      <div ref={top} className="jp-slurmdash-Library-top" {...held}>
        <div className="jp-slurmdash-Library-head">
          <SearchBox
            label={trans.__('Search templates')}
            value={model.query}
            onChange={query => model.setQuery(query)}
            testId="slurmdash-templates-search"
          />
          <IconButton
            icon={addIcon}
            label={trans.__('New template')}
            data-testid="slurmdash-template-new"
            onClick={() => onNew()}
          />
          <IconButton
            icon={textEditorIcon}
            label={trans.__('New template from a script…')}
            aria-expanded={script.open}
            data-testid="slurmdash-template-script"
            onClick={() => onScript()}
          />
          <IconButton
            icon={fileUploadIcon}
            label={trans.__('Import a template from a file, or drop it here')}
            data-testid="slurmdash-template-import"
            onClick={() => onImport()}
          />
        </div>
        {model.loaded && model.items.length > 0 && <Filters model={model} />}
        {script.open && <ScriptForm script={script} onScript={onScript} />}
        <DoneNote actions={actions} onEdit={props.onEdit} />
      </div>
      {model.error ? (
        <ErrorNote error={model.error} onRetry={() => void model.refresh()} />
      ) : null}
      {model.loaded && !model.error && shelves.length === 0 && (
        <EmptyNote>
          {model.query
            ? trans.__('No template matches “%1”.', model.query)
            : model.source === 'archived'
              ? trans.__('Your archive is empty.')
              : model.narrowed
                ? trans.__('No template matches these filters.')
                : trans.__('There are no templates yet.')}
        </EmptyNote>
      )}
      {shelves.map(({ category, templates }) => (
        <Shelf key={category} category={category} count={templates.length}>
          {shown =>
            templates
              .slice(0, shown)
              .map(template => (
                <TemplateRow key={template.id} {...props} template={template} />
              ))
          }
        </Shelf>
      ))}
    </div>
  );
}

function Filters({ model }: { model: TemplatesModel }): React.JSX.Element {
  const trans = useTrans();
  const sources: Source[] = ['official', 'community', 'private', 'archived'];
  return (
    <div className="jp-slurmdash-Filters">
      <Select
        aria-label={trans.__('Shelf')}
        data-testid="slurmdash-templates-source"
        value={model.source}
        options={[
          { value: '', label: trans.__('All shelves') },
          ...sources.map(value => ({ value, label: sourceName(trans, value) }))
        ]}
        onChange={event =>
          model.narrow({ source: event.target.value as Source | '' })
        }
      />
      <Select
        aria-label={trans.__('Tag')}
        data-testid="slurmdash-templates-tag"
        value={model.tag}
        options={[
          { value: '', label: trans.__('All tags') },
          ...model.tags.map(([value, count]) => ({
            value,
            label: `${value} (${count})`
          }))
        ]}
        onChange={event => model.narrow({ tag: event.target.value })}
      />
      <Select
        aria-label={trans.__('Order')}
        data-testid="slurmdash-templates-order"
        value={model.order}
        options={[
          { value: 'name', label: trans.__('By name') },
          { value: 'newest', label: trans.__('Newest first') }
        ]}
        onChange={event => model.narrow({ order: event.target.value as Order })}
      />
    </div>
  );
}

function Shelf({
  category,
  count,
  children
}: {
  category: string;
  count: number;
  children: (shown: number) => React.ReactNode;
}): React.JSX.Element {
  const trans = useTrans();
  const [shown, setShown] = React.useState(SHOWN);
  return (
    <section className="jp-slurmdash-Shelf">
      <h3>
        {categoryName(trans, category)}
        <span className="jp-slurmdash-Count">{count}</span>
      </h3>
      <ul className="jp-slurmdash-List">{children(shown)}</ul>
      {count > shown && (
        <Button small onClick={() => setShown(shown + SHOWN)}>
          {trans.__('Show more (%1)', count - shown)}
        </Button>
      )}
    </section>
  );
}

async function takeFiles(
  files: FileList,
  onImport: (text: string) => void,
  onScript: (text: string, name: string) => void
): Promise<void> {
  for (const file of files) {
    const text = await file.text();
    if (isScript(file.name, text)) {
      onScript(text, nameOfFile(file.name));
    } else {
      onImport(text);
    }
  }
}

/** Arrow keys, Home and End lead from row to row; `/` to the search. */
function walk(event: React.KeyboardEvent<HTMLElement>): void {
  const target = event.target as HTMLElement;
  if (!target.matches('[data-row]')) {
    return;
  }
  const rows = [
    ...event.currentTarget.querySelectorAll<HTMLElement>('[data-row]')
  ];
  const at = rows.indexOf(target);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0 }[event.key];
  const next =
    event.key === 'End'
      ? rows.at(-1)
      : event.key === '/'
        ? event.currentTarget.querySelector<HTMLElement>('[role="searchbox"]')
        : to === undefined
          ? undefined
          : rows[to];
  if (next) {
    event.preventDefault();
    next.focus();
  }
}
