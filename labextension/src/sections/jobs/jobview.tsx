import * as React from 'react';

import { Button } from '../../components/Buttons';
import { ErrorNote } from '../../components/Notes';
import { ScriptText } from '../../components/ScriptText';
import { StateMark } from '../../components/StateMark';
import { Tabs } from '../../components/Tabs';
import { useTrans } from '../../components/trans';
import { useModel, useNow } from '../../components/useModel';
import { formatAge, formatBytes, formatClock, formatMoment } from '../../text';
import type { JobModel } from './jobmodel';
import { LogView } from './logview';
import { elapsedOf } from './model';
import { reasonWords } from './reasons';

/** Everything about one job. */
export function JobView({
  model,
  onDownload,
  onTemplate
}: {
  model: JobModel;
  onDownload: (path: string) => Promise<void>;
  onTemplate: () => void;
}): React.JSX.Element {
  useModel(model);
  const trans = useTrans();
  const [tab, setTab] = React.useState('log');
  return (
    <div className="jp-slurmdash-Job">
      <Overview model={model} onTemplate={onTemplate} />
      {model.error ? (
        <ErrorNote error={model.error} onRetry={() => void model.refresh()} />
      ) : null}
      <Tabs
        label={trans.__('Parts of the job')}
        value={tab}
        onChange={setTab}
        tabs={[
          {
            id: 'log',
            label: trans.__('Log'),
            content: () => <LogView model={model} />
          },
          {
            id: 'files',
            label: trans.__('Files'),
            content: () => <FilesView model={model} onDownload={onDownload} />
          },
          {
            id: 'script',
            label: trans.__('Script'),
            content: () => <ScriptView model={model} />
          }
        ]}
      />
    </div>
  );
}

function Overview({
  model,
  onTemplate
}: {
  model: JobModel;
  onTemplate: () => void;
}): React.JSX.Element {
  const trans = useTrans();
  const running = model.row?.job.state === 'RUNNING';
  const now = useNow(true, running ? 1000 : 30_000);
  if (!model.row) {
    return (
      <div className="jp-slurmdash-Job-head">
        <h2>{model.id}</h2>
      </div>
    );
  }
  const { job } = model.row;
  const elapsed = elapsedOf(model.row, now);
  const moment = (time: string | null | undefined) =>
    time ? (
      <span title={formatMoment(time)}>
        {formatAge(trans, Date.parse(time), now)}
      </span>
    ) : null;
  const facts: Array<[string, React.ReactNode]> = [
    [
      trans.__('Why it waits'),
      model.ended || running ? '' : reasonWords(trans, job.reason ?? '')
    ],
    [
      trans.__('Time'),
      elapsed === null
        ? null
        : job.time_limit
          ? trans.__(
              '%1 of %2',
              formatClock(elapsed),
              formatClock(job.time_limit)
            )
          : formatClock(elapsed)
    ],
    [trans.__('Exit code'), model.ended ? job.exit_code : null],
    [trans.__('Submitted'), moment(job.submitted_at)],
    [trans.__('Started'), moment(job.started_at)],
    [trans.__('Ended'), moment(job.ended_at)],
    [trans.__('Nodes'), job.nodes],
    [trans.__('Partition'), job.partition],
    [
      trans.__('Template'),
      job.template_id
        ? `${job.template_id} ${job.template_version ?? ''}`.trim()
        : null
    ],
    [trans.__('Image'), job.image_path],
    [trans.__('Directory'), job.workdir]
  ];
  return (
    <div className="jp-slurmdash-Job-head">
      <div className="jp-slurmdash-Job-title">
        <h2>{job.name}</h2>
        <span className="jp-slurmdash-Quiet">{job.job_id}</span>
        <span aria-live="polite">
          <StateMark state={job.state} raw={job.raw_state} />
        </span>
        {model.ended && (
          <Button
            small
            title={trans.__('A template with the values of this job')}
            data-testid="slurmdash-job-template"
            onClick={() => onTemplate()}
          >
            {trans.__('Make a template')}
          </Button>
        )}
        {!model.ended && (
          <Button
            small
            data-testid="slurmdash-cancel-job"
            disabled={model.cancelling}
            onClick={() => void model.cancel()}
          >
            {model.cancelling
              ? trans.__('Cancelling…')
              : trans.__('Cancel job')}
          </Button>
        )}
      </div>
      <dl className="jp-slurmdash-Facts jp-mod-wide">
        {facts
          .filter(
            ([, value]) => value !== null && value !== undefined && value !== ''
          )
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
      </dl>
    </div>
  );
}

function FilesView({
  model,
  onDownload
}: {
  model: JobModel;
  onDownload: (path: string) => Promise<void>;
}): React.JSX.Element {
  const trans = useTrans();
  const [error, setError] = React.useState<unknown>(null);
  const now = useNow(true, 30_000);
  React.useEffect(() => {
    void model.loadFiles();
  }, [model]);
  const files = [...(model.files?.files ?? [])].sort(
    (one, other) =>
      Number(other.is_output) - Number(one.is_output) ||
      one.path.localeCompare(other.path)
  );
  return (
    <div className="jp-slurmdash-Job-files">
      {model.filesError || error ? (
        <ErrorNote
          error={model.filesError ?? error}
          onRetry={() => {
            setError(null);
            void model.loadFiles();
          }}
        />
      ) : null}
      {model.files && (
        <table className="jp-slurmdash-Table" data-testid="slurmdash-job-files">
          <thead>
            <tr>
              <th scope="col">{trans.__('Name')}</th>
              <th scope="col" className="jp-mod-number">
                {trans.__('Size')}
              </th>
              <th scope="col">{trans.__('Changed')}</th>
            </tr>
          </thead>
          <tbody>
            {files.map(file => (
              <tr key={file.path}>
                <td>
                  <button
                    type="button"
                    className="jp-slurmdash-Link"
                    title={trans.__('Download %1', file.path)}
                    onClick={() => {
                      setError(null);
                      onDownload(file.path).catch(setError);
                    }}
                  >
                    {file.path}
                  </button>
                </td>
                <td className="jp-mod-number">{formatBytes(file.size)}</td>
                <td title={formatMoment(file.modified_at)}>
                  {formatAge(trans, Date.parse(file.modified_at), now)}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {model.files?.files.length === 0 && (
        <p className="jp-slurmdash-Quiet">
          {trans.__('There are no files yet.')}
        </p>
      )}
      {model.files && (
        <div className="jp-slurmdash-Job-filesfoot">
          {model.files.truncated && (
            <span className="jp-slurmdash-Quiet">
              {trans.__('There are more files than are listed here.')}
            </span>
          )}
          <Button small onClick={() => void model.loadFiles()}>
            {trans.__('Refresh')}
          </Button>
        </div>
      )}
    </div>
  );
}

function ScriptView({ model }: { model: JobModel }): React.JSX.Element {
  const trans = useTrans();
  React.useEffect(() => {
    void model.loadScript();
  }, [model]);
  if (model.scriptError) {
    return (
      <ErrorNote
        error={model.scriptError}
        onRetry={() => void model.loadScript()}
      />
    );
  }
  if (model.script === '') {
    return (
      <p className="jp-slurmdash-Quiet">
        {trans.__('This job was submitted elsewhere; its script is not known.')}
      </p>
    );
  }
  return (
    <ScriptText
      script={model.script ?? ''}
      label={trans.__('The script as it was submitted')}
      testId="slurmdash-job-script"
    />
  );
}
