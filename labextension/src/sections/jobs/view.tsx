import * as React from 'react';

import { Button } from '../../components/Buttons';
import { EmptyNote, ErrorNote, Note } from '../../components/Notes';
import { ProgressBar } from '../../components/ProgressBar';
import { StateMark } from '../../components/StateMark';
import { useTrans } from '../../components/trans';
import { useModel, useNow } from '../../components/useModel';
import { formatAge, formatClock, formatMoment } from '../../text';
import { elapsedOf, isEnded, type IJobRow, type JobsModel } from './model';
import { reasonWords } from './reasons';

/** Rows drawn at first; the rest on request. */
const SHOWN = 60;

/** The list of jobs, newest first. */
export function JobsView({
  model,
  onOpen,
  onExample
}: {
  model: JobsModel;
  onOpen: (id: string) => void;
  onExample: () => void;
}): React.JSX.Element {
  useModel(model);
  const trans = useTrans();
  const [limit, setLimit] = React.useState(SHOWN);
  const running = model.active.length > 0;
  const now = useNow(running || model.rows.length > 0, running ? 1000 : 30_000);
  const { rows } = model;
  return (
    <div data-testid="slurmdash-jobs-list">
      {model.stale && (
        <Note kind="warning">
          <span title={model.stale}>
            {model.seenAt
              ? trans.__(
                  'Slurm does not answer; last seen %1.',
                  formatAge(trans, Date.parse(model.seenAt), now)
                )
              : trans.__('Slurm does not answer.')}
          </span>
        </Note>
      )}
      {model.error ? (
        <ErrorNote error={model.error} onRetry={() => void model.refresh()} />
      ) : null}
      {model.loaded && !model.error && rows.length === 0 && (
        <EmptyNote>
          <p>
            {trans.__(
              'You have no jobs yet. Choose a template, drop your files and submit; the job then shows here.'
            )}
          </p>
          <Button
            small
            data-testid="slurmdash-try-example"
            onClick={() => onExample()}
          >
            {trans.__('Try the example')}
          </Button>
        </EmptyNote>
      )}
      <ul
        className="jp-slurmdash-List"
        aria-label={trans.__('Jobs, newest first')}
        onKeyDown={moveFocus}
      >
        {rows.slice(0, limit).map(row => (
          <JobRow
            key={row.job.run_id ?? row.job.job_id}
            row={row}
            now={now}
            onOpen={onOpen}
          />
        ))}
      </ul>
      {rows.length > limit && (
        <Button small onClick={() => setLimit(limit + 200)}>
          {trans._n('Show %1 more', 'Show %1 more', rows.length - limit)}
        </Button>
      )}
    </div>
  );
}

/** Arrow keys move among the rows. */
function moveFocus(event: React.KeyboardEvent<HTMLUListElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined) {
    return;
  }
  const rows = [
    ...event.currentTarget.querySelectorAll<HTMLButtonElement>('button')
  ];
  const at = rows.indexOf(event.target as HTMLButtonElement);
  if (at >= 0) {
    event.preventDefault();
    rows[at + step]?.focus();
  }
}

const JobRow = React.memo(function JobRow({
  row,
  now,
  onOpen
}: {
  row: IJobRow;
  now: number;
  onOpen: (id: string) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const { job } = row;
  const elapsed = elapsedOf(row, now);
  const running = job.state === 'RUNNING';
  return (
    <li>
      <button
        type="button"
        className="jp-slurmdash-Row jp-slurmdash-JobRow"
        data-testid={`slurmdash-job-${job.job_id}`}
        data-state={job.state}
        onClick={() => onOpen(job.job_id)}
      >
        <span className="jp-slurmdash-Row-head">
          <span className="jp-slurmdash-Row-name" title={job.name}>
            {job.name}
          </span>
          <span className="jp-slurmdash-Row-side">
            {running && elapsed !== null && job.time_limit
              ? trans.__(
                  '%1 of %2',
                  formatClock(elapsed),
                  formatClock(job.time_limit)
                )
              : elapsed !== null && job.state !== 'PENDING'
                ? formatClock(elapsed)
                : null}
          </span>
        </span>
        <span className="jp-slurmdash-JobRow-line">
          <StateMark state={job.state} raw={job.raw_state} />
          <span className="jp-slurmdash-JobRow-id">{job.job_id}</span>
          <span
            className="jp-slurmdash-JobRow-when"
            title={formatMoment(job.submitted_at)}
          >
            {running && job.nodes
              ? job.nodes
              : job.submitted_at
                ? formatAge(trans, Date.parse(job.submitted_at), now)
                : null}
          </span>
        </span>
        <JobRemark row={row} />
        {running && elapsed !== null && job.time_limit ? (
          <ProgressBar
            kind={elapsed / job.time_limit > 0.9 ? 'warning' : 'quiet'}
            value={elapsed / job.time_limit}
            label={trans.__('Time used')}
          />
        ) : null}
      </button>
    </li>
  );
});

/** What a row says beyond its state: why it waits, or how it failed. */
function JobRemark({ row: { job } }: { row: IJobRow }): React.ReactNode {
  const trans = useTrans();
  const waits = job.state === 'PENDING' || job.state === 'CONFIGURING';
  const text = waits
    ? reasonWords(trans, job.reason ?? '')
    : isEnded(job) && job.state !== 'COMPLETED' && job.exit_code
      ? trans.__('Exit code %1', job.exit_code)
      : '';
  return text ? (
    <span className="jp-slurmdash-Row-detail" title={job.reason}>
      {text}
    </span>
  ) : null;
}
