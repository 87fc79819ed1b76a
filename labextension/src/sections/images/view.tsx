import {
  caretDownIcon,
  caretRightIcon,
  errorIcon
} from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Image, Scan } from '../../api/types';
import { Badge } from '../../components/Badge';
import { Button } from '../../components/Buttons';
import { Select } from '../../components/Field';
import { EmptyNote, ErrorNote, Note } from '../../components/Notes';
import { ProgressBar } from '../../components/ProgressBar';
import { SearchBox } from '../../components/SearchBox';
import { useTrans } from '../../components/trans';
import { useModel, useNow } from '../../components/useModel';
import { formatAge, formatBytes, formatMoment, imageBadges } from '../../text';
import type { ImagesModel } from './model';

/** Rows drawn at first; the rest on request. */
const SHOWN = 60;

/** The catalogue: filters, the scan, and what each image says of itself. */
export function ImagesView({
  model,
  onUse
}: {
  model: ImagesModel;
  onUse: (id: string) => void;
}): React.JSX.Element {
  useModel(model);
  const trans = useTrans();
  const [limit, setLimit] = React.useState(SHOWN);
  const { shown, filter } = model;
  return (
    <>
      <SearchBox
        label={trans.__('Search images')}
        value={filter.query}
        onChange={query => model.setFilter({ query })}
        testId="slurmdash-images-search"
      />
      <div className="jp-slurmdash-Filters">
        <Select
          aria-label={trans.__('Partition')}
          value={filter.partition}
          data-testid="slurmdash-images-partition"
          options={[
            { value: '', label: trans.__('All partitions') },
            ...model.partitions.map(name => ({ value: name, label: name }))
          ]}
          onChange={event => model.setFilter({ partition: event.target.value })}
        />
        <Select
          aria-label={trans.__('Type')}
          value={filter.type}
          data-testid="slurmdash-images-type"
          options={[
            { value: '', label: trans.__('All types') },
            ...model.types.map(type => ({
              value: type,
              label: typeName(trans, type)
            }))
          ]}
          onChange={event => model.setFilter({ type: event.target.value })}
        />
      </div>
      <ScanLine model={model} />
      {model.error ? (
        <ErrorNote error={model.error} onRetry={() => void model.refresh()} />
      ) : null}
      {model.loaded && !model.error && shown.length === 0 && (
        <EmptyNote>
          {model.items.length
            ? trans.__('No image matches these filters.')
            : trans.__('No images found yet. Scan the nodes to look for them.')}
        </EmptyNote>
      )}
      <ul className="jp-slurmdash-List">
        {shown.slice(0, limit).map(image => (
          <ImageRow key={image.id} image={image} model={model} onUse={onUse} />
        ))}
      </ul>
      {shown.length > limit && (
        <Button small onClick={() => setLimit(limit + 200)}>
          {trans._n('Show %1 more', 'Show %1 more', shown.length - limit)}
        </Button>
      )}
    </>
  );
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
            ? trans.__(
                'Scanned %1',
                formatAge(trans, Date.parse(model.scannedAt), now)
              )
            : trans.__('Not scanned yet')}
        </span>
        <Button
          small
          data-testid="slurmdash-scan-button"
          disabled={scanning}
          onClick={() => void model.startScan()}
        >
          {scanning ? trans.__('Scanning…') : trans.__('Scan')}
        </Button>
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

function ImageRow({
  image,
  model,
  onUse
}: {
  image: Image;
  model: ImagesModel;
  onUse: (id: string) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const [open, setOpen] = React.useState(false);
  const detailId = React.useId();
  const Caret = open ? caretDownIcon : caretRightIcon;
  return (
    <li data-testid={`slurmdash-image-${image.id}`}>
      <button
        type="button"
        className="jp-slurmdash-Row"
        aria-expanded={open}
        aria-controls={detailId}
        onClick={() => {
          setOpen(!open);
          void model.loadMetadata(image.id);
        }}
      >
        <span className="jp-slurmdash-Row-head">
          <Caret.react
            tag="span"
            className="jp-slurmdash-Icon"
            aria-hidden="true"
          />
          <span className="jp-slurmdash-Row-name">{image.name}</span>
          <span className="jp-slurmdash-Row-side">
            {formatBytes(image.size)}
          </span>
        </span>
        <span className="jp-slurmdash-Badges">
          {imageBadges(image).map(badge => (
            <Badge key={badge} kind="accent">
              {badge}
            </Badge>
          ))}
          {!image.problem && <Badge>{typeName(trans, image.type)}</Badge>}
          <Badge title={image.nodes.join(', ')}>
            {trans._n('on %1 node', 'on %1 nodes', image.nodes.length)}
          </Badge>
          {!image.problem && (
            <Badge>
              {image.signature === 'unsigned'
                ? trans.__('unsigned')
                : trans.__('signed, not verified')}
            </Badge>
          )}
        </span>
        {image.problem && (
          <span className="jp-slurmdash-Row-detail jp-mod-error">
            {image.problem}
          </span>
        )}
      </button>
      <div id={detailId} hidden={!open}>
        {open && <ImageDetail image={image} model={model} onUse={onUse} />}
      </div>
    </li>
  );
}

function ImageDetail({
  image,
  model,
  onUse
}: {
  image: Image;
  model: ImagesModel;
  onUse: (id: string) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const metadata = model.metadata(image.id);
  const facts: Array<[string, React.ReactNode]> = [
    [trans.__('Description'), image.description],
    [trans.__('Version'), image.version],
    [trans.__('Path'), image.path],
    [trans.__('Nodes'), image.nodes.join(', ')],
    [trans.__('Partitions'), image.partitions.join(', ')],
    [trans.__('Architecture'), image.arch],
    [trans.__('Built'), formatMoment(image.build_date)],
    [
      trans.__('Apps'),
      metadata?.apps
        .map(app => (app.help ? `${app.name} (${app.help.trim()})` : app.name))
        .join(', ') ?? image.apps.join(', ')
    ],
    [trans.__('Help'), metadata?.help.trim() ?? image.help?.trim()],
    [
      trans.__('Labels'),
      Object.entries(image.labels)
        .map(([name, value]) => `${name}=${value}`)
        .join('\n')
    ]
  ];
  return (
    <div className="jp-slurmdash-Detail">
      <dl className="jp-slurmdash-Facts">
        {facts
          .filter(([, value]) => value)
          .map(([name, value]) => (
            <React.Fragment key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </React.Fragment>
          ))}
      </dl>
      <Button
        small
        disabled={Boolean(image.problem)}
        onClick={() => onUse(image.id)}
      >
        {trans.__('Use in new job')}
      </Button>
    </div>
  );
}

function typeName(trans: TranslationBundle, type: string): string {
  switch (type) {
    case 'viz':
      return trans.__('visualization');
    case 'compute':
      return trans.__('compute');
    default:
      return trans.__('custom');
  }
}
