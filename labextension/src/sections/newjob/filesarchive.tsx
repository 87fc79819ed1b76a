import type { TranslationBundle } from '@jupyterlab/translation';
import { errorIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { ArchiveEntry, ArchiveListing } from '../../api/types';
import { ErrorNote } from '../../components/Notes';
import { useTrans } from '../../components/trans';
import { formatBytes } from '../../text';
import type { FilesModel } from './files';

/** What an archive holds, folded; the server is asked when it is opened, and unpacks nothing. */
export function ArchiveContents({
  fileId,
  name,
  files
}: {
  fileId: string;
  name: string;
  files: FilesModel;
}): React.JSX.Element {
  const trans = useTrans();
  const [open, setOpen] = React.useState(false);
  const [listing, setListing] = React.useState<ArchiveListing | null>(null);
  const [error, setError] = React.useState<unknown>(null);
  React.useEffect(() => {
    let current = true;
    if (open) {
      files.contents(fileId).then(
        found => current && setListing(found),
        reason => current && setError(reason)
      );
    }
    return () => {
      current = false;
    };
  }, [open, fileId, files]);
  return (
    <details
      className="jp-slurmdash-Archive"
      data-testid={`slurmdash-archive-${name}`}
      onToggle={event => setOpen(event.currentTarget.open)}
    >
      <summary>{trans.__('Contents of %1', name)}</summary>
      {error ? <ErrorNote error={error} /> : null}
      {listing ? (
        <Listing listing={listing} />
      ) : open && !error ? (
        <p className="jp-slurmdash-Quiet">{trans.__('Reading the archive…')}</p>
      ) : null}
    </details>
  );
}

function Listing({ listing }: { listing: ArchiveListing }): React.JSX.Element {
  const trans = useTrans();
  const { entries, total, unpacked, complete, notes } = listing;
  return (
    <>
      <p className="jp-slurmdash-Quiet">
        {[
          complete
            ? trans._n('%1 entry', '%1 entries', total)
            : trans.__('more than %1 entries', total),
          trans.__('%1 unpacked', formatBytes(unpacked))
        ].join(' · ')}
      </p>
      {notes.map(note => (
        <p key={note} className="jp-slurmdash-Field-message">
          {note}
        </p>
      ))}
      {/* Names may be long and many: the list scrolls, and the keys can reach it. */}
      <ul tabIndex={0} aria-label={trans.__('Entries')}>
        {entries.map((entry, at) => (
          <li key={at} className={entry.trouble ? 'jp-mod-trouble' : ''}>
            <span>
              {entry.name}
              {entry.target ? ` → ${entry.target}` : ''}
              {entry.trouble && (
                <span
                  className="jp-slurmdash-Archive-mark"
                  data-trouble={entry.trouble}
                >
                  <errorIcon.react
                    tag="span"
                    className="jp-slurmdash-Icon"
                    aria-hidden="true"
                  />
                  {troubleText(trans, entry.trouble)}
                </span>
              )}
            </span>
            <span className="jp-slurmdash-Quiet">
              {entry.kind === 'file' ? formatBytes(entry.size) : ''}
            </span>
          </li>
        ))}
        {total > entries.length && (
          <li>{trans.__('and %1 more', total - entries.length)}</li>
        )}
      </ul>
    </>
  );
}

/** Why an entry is better not unpacked without a look, in as few words as its line has room for. */
function troubleText(
  trans: TranslationBundle,
  trouble: NonNullable<ArchiveEntry['trouble']>
): string {
  switch (trouble) {
    case 'outside':
      return trans.__('lands outside');
    case 'link-outside':
      return trans.__('leads outside');
    case 'control':
      return trans.__('control characters');
    case 'device':
      return trans.__('no file');
    case 'twice':
      return trans.__('there twice');
  }
}
