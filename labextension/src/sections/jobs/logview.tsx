import * as React from 'react';

import { Button } from '../../components/Buttons';
import { ErrorNote } from '../../components/Notes';
import { useTrans } from '../../components/trans';
import { formatBytes } from '../../text';
import type { JobModel, Stream } from './jobmodel';
import type { ILogBlock } from './logbuffer';

/** Pixels from the end within which the view counts as being at the end. */
const NEAR_END = 24;

/** A job's output as it grows; it follows the end unless the user reads further up. */
export function LogView({ model }: { model: JobModel }): React.JSX.Element {
  const trans = useTrans();
  const { log, stream } = model;
  const box = React.useRef<HTMLDivElement>(null);
  const [following, setFollowing] = React.useState(true);

  React.useLayoutEffect(() => {
    if (following && box.current) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  });
  React.useEffect(() => setFollowing(true), [stream]);

  const streams: Array<[Stream, string]> = [
    ['out', trans.__('Output')],
    ['err', trans.__('Errors')]
  ];
  return (
    <div className="jp-slurmdash-LogView">
      <div className="jp-slurmdash-LogView-bar">
        <div
          className="jp-slurmdash-Switch"
          role="group"
          aria-label={trans.__('Which output')}
        >
          {streams.map(([id, label]) => (
            <button
              key={id}
              type="button"
              aria-pressed={stream === id}
              data-testid={`slurmdash-log-${id}`}
              onClick={() => model.setStream(id)}
            >
              {label}
            </button>
          ))}
        </div>
        <span className="jp-slurmdash-Quiet" role="status">
          {log.complete
            ? trans.__('Complete, %1', formatBytes(log.size))
            : log.nextOffset === null
              ? trans.__('Reading…')
              : trans.__('Live, %1', formatBytes(log.size))}
        </span>
        {!following && (
          <Button small onClick={() => setFollowing(true)}>
            {trans.__('To the end')}
          </Button>
        )}
      </div>
      {log.error ? <ErrorNote error={log.error} /> : null}
      <div
        ref={box}
        className="jp-slurmdash-Log"
        tabIndex={0}
        role="log"
        aria-live="off"
        aria-label={stream === 'out' ? trans.__('Output') : trans.__('Errors')}
        data-testid="slurmdash-log"
        onScroll={event => {
          const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
          setFollowing(scrollHeight - scrollTop - clientHeight < NEAR_END);
        }}
      >
        {(log.skipped > 0 || log.buffer.dropped > 0) && (
          <p className="jp-slurmdash-Quiet">
            {trans.__(
              'Earlier output is not shown here; the file has all of it.'
            )}
          </p>
        )}
        {log.nextOffset !== null && log.buffer.empty && (
          <p className="jp-slurmdash-Quiet">
            {log.complete
              ? trans.__('The job wrote nothing here.')
              : trans.__(
                  'Nothing yet. What the job writes shows here at once.'
                )}
          </p>
        )}
        {log.buffer.blocks.map(block => (
          <LogBlock key={block.id} text={block.text} />
        ))}
      </div>
    </div>
  );
}

const LogBlock = React.memo(function LogBlock({
  text
}: Pick<ILogBlock, 'text'>): React.JSX.Element {
  return <pre>{text}</pre>;
});
