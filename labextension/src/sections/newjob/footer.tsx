import { checkIcon, errorIcon, infoIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Button } from '../../components/Buttons';
import { ErrorNote } from '../../components/Notes';
import { useTrans } from '../../components/trans';
import { useModel } from '../../components/useModel';
import { Problem } from '../../problem';
import type { IFinding } from './findings';
import type { NewJobModel } from './model';

/** Findings shown at once; the rest on request. */
const SHOWN = 3;

/** What is left to do, and the button that submits. */
export function Footer({
  model,
  onOpenJob
}: {
  model: NewJobModel;
  onOpenJob: (id: string) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const statusId = React.useId();
  const { submitted, submitError } = model;
  const spoken =
    submitError instanceof Problem && submitError.errors.length > 0;
  return (
    <div className="jp-slurmdash-Footer">
      {submitError && !spoken ? <ErrorNote error={submitError} /> : null}
      <Findings model={model} />
      <div className="jp-slurmdash-Footer-line">
        <div className="jp-slurmdash-Footer-text">
          <div
            id={statusId}
            className="jp-slurmdash-Footer-status"
            role="status"
            aria-live="polite"
          >
            <Status model={model} />
            {submitted && (
              <button
                type="button"
                className="jp-slurmdash-Link"
                data-testid="slurmdash-submitted-job"
                onClick={() => onOpenJob(submitted.job_id)}
              >
                {trans.__('Open job %1', submitted.job_id)}
              </button>
            )}
          </div>
          {model.putAway ? (
            <button
              type="button"
              className="jp-slurmdash-Link"
              onClick={() => void model.undo()}
            >
              {trans.__('Undo')}
            </button>
          ) : model.isEmpty ? null : (
            <button
              type="button"
              className="jp-slurmdash-Link"
              title={trans.__('Empty the form; it can be undone')}
              onClick={() => model.startAfresh()}
            >
              {trans.__('Start afresh')}
            </button>
          )}
        </div>
        <Button
          accent
          data-testid="slurmdash-submit"
          aria-describedby={statusId}
          aria-disabled={!model.canSubmit}
          onClick={() => void model.submit()}
        >
          {model.submitting ? trans.__('Submitting…') : trans.__('Submit')}
        </Button>
      </div>
    </div>
  );
}

/** The form's state in one line; also why the button does nothing. */
function Status({ model }: { model: NewJobModel }): React.JSX.Element {
  const trans = useTrans();
  const { errors, files, submitted } = model;
  useModel(files);
  if (submitted) {
    return (
      <span className="jp-slurmdash-Footer-ok">
        <checkIcon.react
          tag="span"
          className="jp-slurmdash-StateIcon jp-mod-done"
          aria-hidden="true"
        />
        {trans.__('Submitted.')}
      </span>
    );
  }
  if (model.isEmpty) {
    return <>{trans.__('Choose a template or an image to begin.')}</>;
  }
  if (model.submitting) {
    return <>{trans.__('Checking and submitting…')}</>;
  }
  if (model.lacksTemplate) {
    return model.templateError ? (
      <>{trans.__('The template could not be loaded.')}</>
    ) : (
      <>{trans.__('Loading…')}</>
    );
  }
  if (files.pending) {
    return (
      <>
        {trans._n(
          '%1 file is still on its way.',
          '%1 files are still on their way.',
          files.pending
        )}
      </>
    );
  }
  if (errors.length) {
    return (
      <>{trans._n('%1 thing to fix.', '%1 things to fix.', errors.length)}</>
    );
  }
  if (!model.preview) {
    return model.previewError ? (
      <>{trans.__('The job could not be checked.')}</>
    ) : (
      <>{trans.__('Checking…')}</>
    );
  }
  return (
    <span className="jp-slurmdash-Footer-ok">
      <checkIcon.react
        tag="span"
        className="jp-slurmdash-StateIcon jp-mod-done"
        aria-hidden="true"
      />
      {trans.__('Ready.')}
    </span>
  );
}

function Findings({ model }: { model: NewJobModel }): React.ReactNode {
  const trans = useTrans();
  const [all, setAll] = React.useState(false);
  const { findings } = model;
  if (findings.length === 0) {
    return null;
  }
  const shown = all ? findings : findings.slice(0, SHOWN);
  return (
    <ul
      className="jp-slurmdash-Findings"
      aria-label={trans.__('What to look at')}
    >
      {shown.map((finding, index) => (
        <li key={`${finding.pointer} ${finding.message}`}>
          <Finding
            finding={finding}
            testId={`slurmdash-check-${index}`}
            onClick={() => model.askFocus(finding.pointer)}
          />
        </li>
      ))}
      {findings.length > SHOWN && (
        <li>
          <button
            type="button"
            className="jp-slurmdash-Link"
            onClick={() => setAll(!all)}
          >
            {all
              ? trans.__('Show fewer')
              : trans.__('Show %1 more', findings.length - SHOWN)}
          </button>
        </li>
      )}
    </ul>
  );
}

function Finding({
  finding,
  testId,
  onClick
}: {
  finding: IFinding;
  testId: string;
  onClick: () => void;
}): React.JSX.Element {
  const trans = useTrans();
  const error = finding.level === 'error';
  const Icon = error ? errorIcon : infoIcon;
  return (
    <button
      type="button"
      className="jp-slurmdash-Finding"
      data-testid={testId}
      data-level={finding.level}
      title={finding.message}
      onClick={onClick}
    >
      <Icon.react
        tag="span"
        className={`jp-slurmdash-StateIcon jp-mod-${error ? 'failed' : 'waiting'}`}
        aria-hidden="true"
      />
      <span>
        <span className="jp-slurmdash-Hidden">
          {error ? trans.__('To fix:') : trans.__('Note:')}{' '}
        </span>
        {finding.message}
      </span>
    </button>
  );
}
