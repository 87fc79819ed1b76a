import { Clipboard } from '@jupyterlab/apputils';
import {
  caretLeftIcon,
  checkIcon,
  copyIcon,
  errorIcon
} from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Image, ImageRuns, ImageWhere } from '../../api/types';
import { Badge } from '../../components/Badge';
import { Button, IconButton } from '../../components/Buttons';
import { indexOf, type ImageFacts } from '../../components/imageindex';
import {
  placeWord,
  problemOf,
  SignatureMark,
  typeWord
} from '../../components/ImageMarks';
import { ErrorNote, Note } from '../../components/Notes';
import { useTrans } from '../../components/trans';
import { useModel, useNow } from '../../components/useModel';
import { formatAge, formatBytes, formatMoment, imageBadges } from '../../text';
import type { ImageDetailModel } from './detailmodel';

/** Nodes that are named one by one; of more there is only the number. */
const NAMED = 3;

interface IImageDetailProps {
  model: ImageDetailModel;
  image: Image;
  images: ReadonlyArray<ImageFacts>;
  onBack: () => void;
  onOpen: (id: string) => void;
  onUse: (id: string) => void;
  onDraft: (id: string) => void;
}

/** One image: where it is, whether it is what it was, who signed it, and what it says of itself. */
export function ImageDetail({
  model,
  image,
  images,
  onBack,
  onOpen,
  onUse,
  onDraft
}: IImageDetailProps): React.JSX.Element {
  useModel(model);
  const trans = useTrans();
  const heading = React.useRef<HTMLHeadingElement>(null);
  React.useEffect(() => heading.current?.focus(), []);
  const problem = problemOf(trans, image);
  const [lead, ...more] = places(trans, image, model.where);
  return (
    <section
      className="jp-slurmdash-ImageDetail"
      aria-label={image.name}
      data-testid="slurmdash-image-detail"
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          onBack();
        }
      }}
    >
      <header className="jp-slurmdash-ImageDetail-head">
        <IconButton
          icon={caretLeftIcon}
          label={trans.__('Back to the images')}
          data-testid="slurmdash-image-back"
          onClick={onBack}
        />
        <h3 ref={heading} tabIndex={-1}>
          {image.name}
        </h3>
        {imageBadges(image).map(badge => (
          <Badge key={badge} kind="accent">
            {badge}
          </Badge>
        ))}
      </header>
      <div className="jp-slurmdash-ImageDetail-body">
        {problem && (
          <Note kind="warning" icon={errorIcon}>
            {problem}
          </Note>
        )}
        {image.description && <p>{image.description}</p>}
        <div className="jp-slurmdash-ImageDetail-actions">
          <Button
            small
            accent
            disabled={Boolean(problem)}
            data-testid="slurmdash-image-use"
            onClick={() => onUse(image.id)}
          >
            {trans.__('Use in new job')}
          </Button>
          <Button
            small
            disabled={Boolean(problem)}
            title={trans.__('A template from what the image says of itself')}
            data-testid="slurmdash-image-draft"
            onClick={() => onDraft(image.id)}
          >
            {trans.__('Make a template')}
          </Button>
        </div>
        <LastRun runs={model.runs} />
        <dl className="jp-slurmdash-Facts">
          <dt>{trans.__('Where')}</dt>
          <dd data-testid="slurmdash-image-where">
            <div>{lead}</div>
            {more.map(line => (
              <div key={line}>{line}</div>
            ))}
          </dd>
          <dt>{trans.__('SHA-256')}</dt>
          <dd>
            <Digest
              model={model}
              digest={(image.digest ?? '').replace(/^sha256:/, '')}
            />
          </dd>
          <dt>{trans.__('Signature')}</dt>
          <dd>
            <Signatures model={model} image={image} />
          </dd>
          <Versions image={image} images={images} onOpen={onOpen} />
          <Facts model={model} image={image} />
        </dl>
      </div>
    </section>
  );
}

/** "gpu: 3 of 4 nodes, not on node003", a line for each partition. */
function places(
  trans: TranslationBundle,
  image: Image,
  where: ImageWhere | null
): string[] {
  if (!where || where.shared) {
    return [
      where?.shared
        ? trans.__('In a shared directory: on all nodes')
        : placeWord(trans, image)
    ];
  }
  return where.partitions.map(({ partition, nodes_with, nodes_without }) => {
    const all = nodes_with.length + nodes_without.length;
    if (nodes_without.length === 0) {
      return trans._n(
        '%2: on its node',
        '%2: on all its %1 nodes',
        all,
        partition
      );
    }
    if (nodes_with.length === 0) {
      return trans.__('%1: on none of its nodes', partition);
    }
    // The shorter of the two lists tells more.
    const away = nodes_without.length <= nodes_with.length;
    const named = away ? nodes_without : nodes_with;
    if (named.length > NAMED) {
      return trans.__('%1: %2 of %3 nodes', partition, nodes_with.length, all);
    }
    return away
      ? trans.__(
          '%1: %2 of %3 nodes, not on %4',
          partition,
          nodes_with.length,
          all,
          named.join(', ')
        )
      : trans.__(
          '%1: %2 of %3 nodes, only on %4',
          partition,
          nodes_with.length,
          all,
          named.join(', ')
        );
  });
}

/** Whether the file is still the one that the user's last good run had. */
function LastRun({ runs }: { runs: ImageRuns | null }): React.ReactNode {
  const trans = useTrans();
  const last = runs?.last_good;
  const now = useNow(Boolean(last), 60_000);
  if (!last) {
    return null;
  }
  const age = last.ended_at
    ? formatAge(trans, Date.parse(last.ended_at), now)
    : '';
  const job = [last.job_id ?? last.name, age].filter(Boolean).join(', ');
  return (
    <div
      className={`jp-slurmdash-Mark ${runs.changed ? 'jp-mod-changed-image' : 'jp-mod-verified'}`}
      title={runs.message}
      data-testid="slurmdash-image-runs"
      data-changed={String(runs.changed)}
    >
      {runs.changed ? (
        <errorIcon.react
          tag="span"
          className="jp-slurmdash-Icon"
          aria-hidden="true"
        />
      ) : (
        <checkIcon.react
          tag="span"
          className="jp-slurmdash-Icon"
          aria-hidden="true"
        />
      )}
      <span>
        {runs.changed
          ? trans.__('Changed since your last good run (job %1)', job)
          : runs.changed === false
            ? trans.__('The same as in your last good run (job %1)', job)
            : trans.__('Your last good run: job %1', job)}
      </span>
    </div>
  );
}

function Digest({
  model,
  digest
}: {
  model: ImageDetailModel;
  digest: string;
}): React.JSX.Element {
  const trans = useTrans();
  const [copied, setCopied] = React.useState(false);
  if (digest) {
    return (
      <span className="jp-slurmdash-Value">
        <code title={digest} data-testid="slurmdash-image-sha256">
          {shortened(digest)}
        </code>
        <IconButton
          icon={copied ? checkIcon : copyIcon}
          label={copied ? trans.__('Copied') : trans.__('Copy the SHA-256')}
          onClick={() => {
            // `navigator.clipboard` is not there on a page of plain http.
            Clipboard.copyToSystem(digest);
            setCopied(true);
          }}
        />
      </span>
    );
  }
  return (
    <Task
      model={model}
      name="digest"
      label={trans.__('Compute')}
      busy={trans.__('Computing…')}
    />
  );
}

function Signatures({
  model,
  image
}: {
  model: ImageDetailModel;
  image: Image;
}): React.JSX.Element {
  const trans = useTrans();
  const { verification, signatures = [] } = image;
  const prints = signatures.map(({ fingerprint }) => fingerprint);
  return (
    <>
      <SignatureMark signature={image.signature} />
      {verification && (
        <div title={verification.message} data-testid="slurmdash-image-verdict">
          {verification.state === 'verified'
            ? trans.__('by %1', verification.keys.join(', '))
            : verification.message}
        </div>
      )}
      {[...new Set(prints.filter(Boolean))].map(print => (
        <div key={print} className="jp-slurmdash-Quiet">
          {trans.__('key')} <code title={print}>{fingerprint(print)}</code>
        </div>
      ))}
      {image.signature !== 'unsigned' && (
        <div>
          <Task
            model={model}
            name="verify"
            label={verification ? trans.__('Verify again') : trans.__('Verify')}
            busy={trans.__('Verifying…')}
          />
        </div>
      )}
    </>
  );
}

/** A button for work on the server that takes a while, and what became of it. */
function Task({
  model,
  name,
  label,
  busy
}: {
  model: ImageDetailModel;
  name: 'digest' | 'verify';
  label: string;
  busy: string;
}): React.JSX.Element {
  const running = model.isRunning(name);
  const task = model.tasks[name];
  const error = model.errors[name];
  return (
    <>
      <Button
        small
        // It keeps the focus while it works.
        aria-disabled={running}
        data-testid={`slurmdash-image-${name}`}
        onClick={() => void model.start(name)}
      >
        {running ? busy : label}
      </Button>
      {error ? (
        <ErrorNote error={error} />
      ) : (
        task?.status === 'failed' && (
          <Note kind="error" icon={errorIcon}>
            {task.message}
          </Note>
        )
      )}
    </>
  );
}

/** The other versions of the image. */
function Versions({
  image,
  images,
  onOpen
}: {
  image: Image;
  images: ReadonlyArray<ImageFacts>;
  onOpen: (id: string) => void;
}): React.ReactNode {
  const trans = useTrans();
  const others = indexOf(images)
    .family(image.family)
    .filter(({ id }) => id !== image.id);
  if (others.length === 0) {
    return image.version ? (
      <>
        <dt>{trans.__('Version')}</dt>
        <dd>{image.version}</dd>
      </>
    ) : null;
  }
  return (
    <>
      <dt>{trans.__('Version')}</dt>
      <dd>
        {image.version}
        <details data-testid="slurmdash-image-versions">
          <summary>
            {trans._n('%1 more version', '%1 more versions', others.length)}
          </summary>
          <ul className="jp-slurmdash-Versions">
            {others.map(other => (
              <li key={other.id}>
                <button
                  type="button"
                  className="jp-slurmdash-Link"
                  onClick={() => onOpen(other.id)}
                >
                  {other.version || other.name}
                </button>{' '}
                <span className="jp-slurmdash-Quiet">
                  {other.problem ?? placeWord(trans, other)}
                </span>
              </li>
            ))}
          </ul>
        </details>
      </dd>
    </>
  );
}

function Facts({
  model: { metadata },
  image
}: {
  model: ImageDetailModel;
  image: Image;
}): React.JSX.Element {
  const trans = useTrans();
  const apps =
    metadata?.apps.map(({ name, help }) =>
      help?.trim() ? `${name}: ${help.trim()}` : name
    ) ?? image.apps;
  const facts: Array<[string, string | undefined]> = [
    [trans.__('Apps'), apps.join('\n')],
    [trans.__('Help'), metadata?.help.trim() ?? image.help?.trim()],
    [trans.__('Path'), image.path],
    [
      trans.__('Kind'),
      [typeWord(trans, image.type), image.arch, formatBytes(image.size)]
        .filter(Boolean)
        .join(' · ')
    ],
    [trans.__('Built'), formatMoment(image.build_date)],
    [trans.__('Changed'), formatMoment(image.modified_at)],
    [
      trans.__('Labels'),
      Object.entries(image.labels)
        .map(([name, value]) => `${name}=${value}`)
        .join('\n')
    ]
  ];
  return (
    <>
      {facts
        .filter(([, value]) => value)
        .map(([name, value]) => (
          <React.Fragment key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </React.Fragment>
        ))}
    </>
  );
}

function shortened(digest: string): string {
  return `${digest.slice(0, 12)}…${digest.slice(-4)}`;
}

/** The last sixteen digits in groups of four, as gpg shows a long key id. */
function fingerprint(print: string): string {
  return print.slice(-16).replace(/(.{4})(?=.)/g, '$1 ');
}
