import { closeIcon, errorIcon, searchIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { Scan } from '../../api/types';
import { Button, IconButton } from '../../components/Buttons';
import {
  ImageFilters,
  ImageRows,
  listAttributes,
  moveBy,
  useImageSearch
} from '../../components/ImageChoice';
import { EVERYTHING } from '../../components/imageindex';
import { EmptyNote, ErrorNote, Note } from '../../components/Notes';
import { ProgressBar } from '../../components/ProgressBar';
import { useTrans } from '../../components/trans';
import { useModel, useNow } from '../../components/useModel';
import { formatAge, formatMoment } from '../../text';
import { ImageDetail } from './detail';
import type { ImagesModel } from './model';

interface IImagesViewProps {
  model: ImagesModel;
  recent: () => ReadonlyArray<string>;
  onUse: (id: string) => void;
  onDraft: (id: string) => void;
}

/** The catalogue as a list, and one image of it in full: instead of the list, or beside it where there is room. */
export function ImagesView(props: IImagesViewProps): React.JSX.Element {
  const { model } = props;
  useModel(model);
  const list = React.useRef<HTMLDivElement>(null);
  const image = model.detail ? model.find(model.detail.id) : undefined;
  const back = () => {
    model.open(null);
    // The list may have been out of sight until now, and what is hidden cannot take the focus.
    requestAnimationFrame(() =>
      list.current?.querySelector<HTMLElement>('[role="listbox"]')?.focus()
    );
  };
  return (
    <div className={`jp-slurmdash-Images-split ${image ? 'jp-mod-open' : ''}`}>
      <div ref={list} className="jp-slurmdash-Images-list">
        <ImagesList {...props} />
      </div>
      {model.detail && image && (
        <ImageDetail
          key={image.id}
          model={model.detail}
          image={image}
          images={model.items}
          onBack={back}
          onOpen={id => model.open(id)}
          onUse={props.onUse}
          onDraft={props.onDraft}
        />
      )}
    </div>
  );
}

function ImagesList({ model, recent }: IImagesViewProps): React.JSX.Element {
  const trans = useTrans();
  const listId = React.useId();
  const box = React.useRef<HTMLInputElement>(null);
  const used = recent();
  const { items, grouped } = model;
  const search = useImageSearch({ images: items, recent: used, grouped });
  const { filter, setFilter, rows, active } = search;
  const narrowed = filter !== EVERYTHING && Object.values(filter).some(Boolean);

  const onKeyDown = (event: React.KeyboardEvent) => {
    const { key } = event;
    const inBox = event.target === box.current;
    if (key === 'Enter' && rows[active]) {
      event.preventDefault();
      model.open(rows[active].image.id);
    } else if (key === 'Escape' && filter.query) {
      event.preventDefault();
      event.stopPropagation();
      setFilter({ query: '' });
    } else if (inBox && (key === 'Home' || key === 'End') && filter.query) {
      // Within the words these move the caret.
    } else if (moveBy(search, key)) {
      event.preventDefault();
    } else if (!inBox && isText(event)) {
      // `/` leads to the box, and so does typing.
      event.preventDefault();
      box.current?.focus();
      if (key !== '/') {
        setFilter({ query: filter.query + key });
      }
    } else if (!inBox && key === 'Backspace' && filter.query) {
      setFilter({ query: filter.query.slice(0, -1) });
      box.current?.focus();
    }
  };

  return (
    <>
      <div className="jp-slurmdash-Search">
        <searchIcon.react
          tag="span"
          className="jp-slurmdash-Icon"
          aria-hidden="true"
        />
        <input
          {...listAttributes(search, listId, true)}
          ref={box}
          type="text"
          role="combobox"
          className="jp-slurmdash-Input"
          aria-label={trans.__('Search images')}
          placeholder={trans.__('Search images')}
          autoComplete="off"
          spellCheck={false}
          data-testid="slurmdash-images-search"
          value={filter.query}
          onChange={event => setFilter({ query: event.target.value })}
          onKeyDown={onKeyDown}
        />
        {filter.query && (
          <IconButton
            icon={closeIcon}
            label={trans.__('Clear the search')}
            onClick={() => {
              setFilter({ query: '' });
              box.current?.focus();
            }}
          />
        )}
      </div>
      {items.length > 0 && (
        <ImageFilters search={search} testId="slurmdash-images" />
      )}
      <div className="jp-slurmdash-Images-line">
        <span className="jp-slurmdash-Quiet" role="status">
          {model.loaded
            ? narrowed || grouped
              ? trans.__(
                  '%1 of %2 images',
                  rows.length.toLocaleString(),
                  items.length.toLocaleString()
                )
              : trans._n(
                  '%1 image',
                  '%2 images',
                  items.length,
                  items.length.toLocaleString()
                )
            : trans.__('Loading…')}
        </span>
        <label className="jp-slurmdash-Check">
          <input
            type="checkbox"
            data-testid="slurmdash-images-grouped"
            checked={grouped}
            onChange={event => model.setGrouped(event.target.checked)}
          />
          {trans.__('Newest versions only')}
        </label>
      </div>
      <ScanLine model={model} />
      {model.error ? (
        <ErrorNote error={model.error} onRetry={() => void model.refresh()} />
      ) : null}
      {rows.length > 0 && (
        <ImageRows
          search={search}
          listId={listId}
          label={trans.__('Images')}
          focusable
          optionTestId="slurmdash-image"
          onChoose={image => model.open(image.id)}
          onKeyDown={onKeyDown}
        />
      )}
      {model.loaded && !model.error && rows.length === 0 && (
        <EmptyNote>
          {items.length
            ? trans.__('No image matches these filters.')
            : model.readOnly
              ? trans.__('The site has found no images yet.')
              : trans.__(
                  'No images found yet. Scan the nodes to look for them.'
                )}
        </EmptyNote>
      )}
    </>
  );
}

/** Does the key write something? */
function isText({
  key,
  ctrlKey,
  metaKey,
  altKey
}: React.KeyboardEvent): boolean {
  return key.length === 1 && key !== ' ' && !ctrlKey && !metaKey && !altKey;
}

function ScanLine({ model }: { model: ImagesModel }): React.JSX.Element {
  const trans = useTrans();
  const now = useNow(model.scannedAt !== null, 30_000);
  const { scan, scanning } = model;
  const failed = scanning
    ? (scan?.nodes ?? [])
        .filter(node => node.status === 'failed')
        .map(node => ({ node: node.node, message: node.message ?? '' }))
    : model.nodeErrors;
  return (
    <div className="jp-slurmdash-Scan">
      <div className="jp-slurmdash-Scan-line">
        <span
          className="jp-slurmdash-Quiet"
          title={formatMoment(model.scannedAt)}
        >
          {model.scannedAt
            ? model.readOnly
              ? trans.__(
                  'Scanned by the site %1',
                  formatAge(trans, Date.parse(model.scannedAt), now)
                )
              : trans.__(
                  'Scanned %1',
                  formatAge(trans, Date.parse(model.scannedAt), now)
                )
            : model.readOnly
              ? trans.__('The site scans; it has not yet.')
              : trans.__('Not scanned yet')}
        </span>
        {!model.readOnly && (
          <Button
            small
            data-testid="slurmdash-scan-button"
            disabled={scanning}
            onClick={() => void model.startScan()}
          >
            {scanning ? trans.__('Scanning…') : trans.__('Scan')}
          </Button>
        )}
      </div>
      {scanning && scan && <ScanProgress scan={scan} />}
      {failed.length > 0 && (
        <Note kind="warning" icon={errorIcon}>
          <details>
            <summary>
              {trans._n(
                '%1 node could not be scanned',
                '%1 nodes could not be scanned',
                failed.length
              )}
            </summary>
            <ul className="jp-slurmdash-Plain">
              {failed.map(({ node, message }) => (
                <li key={node}>
                  <b>{node}</b>: {message}
                </li>
              ))}
            </ul>
          </details>
        </Note>
      )}
    </div>
  );
}

function ScanProgress({ scan }: { scan: Scan }): React.JSX.Element {
  const trans = useTrans();
  const done = scan.nodes.filter(node => node.status !== 'waiting').length;
  const total = scan.nodes.length;
  const found = scan.nodes.reduce((sum, node) => sum + node.images, 0);
  return (
    <div role="status">
      <ProgressBar
        value={total ? done / total : 0}
        label={trans.__('Scan of the nodes')}
      />
      <span className="jp-slurmdash-Quiet">
        {trans.__('%1 of %2 nodes, %3 images', done, total, found)}
      </span>
    </div>
  );
}
