import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { pauseIcon, runIcon } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { IconButton } from '../../components/Buttons';
import { Note } from '../../components/Notes';
import { ProgressBar } from '../../components/ProgressBar';
import { useTrans } from '../../components/trans';
import { useNow } from '../../components/useModel';
import { formatBytes, formatDuration } from '../../text';
import type { FilesModel } from './files';
import { ChooseButton } from './filesdropzone';
import { timeLeft } from './filesmeter';
import { isSignedOut } from './filesretry';

/** All files together: how far, how fast, how long, and the buttons for all of them. */
export function FilesTotal({ files }: { files: FilesModel }): React.ReactNode {
  const trans = useTrans();
  const { totals } = files;
  const { moving, paused, elsewhere, interrupted } = totals;
  const { holding } = files.queue.retry;
  const under = moving + paused + elsewhere > 0;
  return (
    <>
      {(under || files.looking > 0) && (
        <div className="jp-slurmdash-Total" data-testid="slurmdash-files-total">
          {under && (
            <ProgressBar
              value={totals.size ? totals.sent / totals.size : 0}
              label={trans.__('Upload of all files')}
              kind={(moving && !holding) || elsewhere ? 'accent' : 'quiet'}
            />
          )}
          <div className="jp-slurmdash-Total-line">
            <span className="jp-slurmdash-Quiet">
              {totalText(trans, files)}
            </span>
            {moving > 0 && (
              <IconButton
                icon={pauseIcon}
                label={trans.__('Pause all')}
                data-testid="slurmdash-pause-all"
                onClick={() => files.pause()}
              />
            )}
            {paused > 0 && (
              <IconButton
                icon={runIcon}
                label={trans.__('Resume all')}
                data-testid="slurmdash-resume-all"
                onClick={() => files.resume()}
              />
            )}
          </div>
        </div>
      )}
      <Connection files={files} />
      {files.intake.note && under && (
        <Note kind="warning">{files.intake.note}</Note>
      )}
      {interrupted > 0 && (
        <Note>
          <span data-testid="slurmdash-interrupted">
            {trans._n(
              '%1 file is not all there. Choose it again: only what is missing is sent.',
              '%1 files are not all there. Choose them again: only what is missing is sent.',
              interrupted
            )}
          </span>
          <span className="jp-slurmdash-Ask-buttons">
            <ChooseButton
              text={trans.__('Choose again')}
              testId="slurmdash-again-input"
              onFiles={chosen => void files.add(chosen)}
            />
            <ChooseButton
              folder
              text={trans.__('Choose folder again')}
              onFiles={chosen => void files.add(chosen)}
            />
          </span>
        </Note>
      )}
      <span className="jp-slurmdash-Hidden" role="status" aria-live="polite">
        {spoken(trans, files)}
      </span>
    </>
  );
}

/** Why nothing moves, when that is not the files' fault. */
function Connection({ files }: { files: FilesModel }): React.ReactNode {
  const trans = useTrans();
  const { problem, at } = files.queue.retry;
  const now = useNow(problem !== null);
  if (!problem || !files.totals.moving) {
    return null;
  }
  const again = (
    <button
      type="button"
      className="jp-slurmdash-Link"
      data-testid="slurmdash-try-now"
      onClick={() => files.wake()}
    >
      {trans.__('Try now')}
    </button>
  );
  return isSignedOut(problem) ? (
    <Note kind="warning">
      <span>
        {trans.__(
          'You are signed out. Sign in in another tab; the upload goes on from where it stands.'
        )}
      </span>
      <a
        className="jp-slurmdash-Link"
        href={URLExt.join(PageConfig.getBaseUrl(), 'login')}
        target="_blank"
        rel="noreferrer"
      >
        {trans.__('Sign in')}
      </a>
      {again}
    </Note>
  ) : (
    <Note kind="warning">
      {/* The seconds are for the eye: read out, they would never end. */}
      <span>
        {trans.__(
          'The server does not answer. What has arrived is kept; the upload goes on by itself.'
        )}
      </span>
      <span aria-hidden="true" className="jp-slurmdash-Quiet">
        {trans.__(
          'next try in %1',
          formatDuration(trans, Math.max(1, (at - now) / 1000))
        )}
      </span>
      {again}
    </Note>
  );
}

function totalText(trans: TranslationBundle, files: FilesModel): string {
  const { complete, files: count, failed, size, sent } = files.totals;
  if (files.looking && !files.totals.moving) {
    return files.intake.question || files.intake.obstacle
      ? trans.__('Waits for your answer')
      : trans.__('Looking at the files…');
  }
  const { speed } = files.queue.meter;
  const left = files.totals.moving ? timeLeft(size, sent, speed) : null;
  return [
    trans.__('%1 of %2 files', complete, count),
    trans.__('%1 of %2', formatBytes(sent), formatBytes(size)),
    left === null ? '' : `${formatBytes(speed)}/s`,
    left === null ? '' : formatDuration(trans, Math.ceil(left)),
    failed ? trans.__('%1 failed', failed) : ''
  ]
    .filter(Boolean)
    .join(' · ');
}

/** For who does not see it: the beginning, each quarter, the end, and what went wrong. */
function spoken(trans: TranslationBundle, files: FilesModel): string {
  const { totals, already } = files;
  const { moving, paused, failed, complete, size, sent } = totals;
  if (moving && files.queue.retry.holding) {
    // The note says so.
    return '';
  }
  if (moving) {
    const quarter = size ? Math.floor((4 * sent) / size) * 25 : 0;
    return trans._n(
      '%1 file is being sent: %2 %',
      '%1 files are being sent: %2 %',
      moving > 1 ? totals.files - complete : 1,
      Math.min(75, quarter)
    );
  }
  if (failed) {
    return trans._n(
      '%1 file could not be sent.',
      '%1 files could not be sent.',
      failed
    );
  }
  if (paused) {
    return trans.__('The upload is paused.');
  }
  if (already && complete === totals.files) {
    return trans._n(
      'All files are there; %1 was there already.',
      'All files are there; %1 were there already.',
      already
    );
  }
  return complete && complete === totals.files
    ? trans.__('All files are there.')
    : '';
}
