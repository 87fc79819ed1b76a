import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type { Check } from '../../api/types';
import { Button } from '../../components/Buttons';
import {
  CheckMark,
  countWords,
  LevelIcon,
  medianWords
} from '../../components/HealthMark';
import { ErrorNote, Note } from '../../components/Notes';
import { Part } from '../../components/Part';
import { useTrans } from '../../components/trans';
import { useModel, useNow } from '../../components/useModel';
import type { HealthModel } from './healthmodel';
import type { TemplateEditorModel } from './model';

/** What the last check of the saved template found, step by step, and what became of the user's jobs. */
export function HealthView({
  model,
  editor
}: {
  model: HealthModel;
  editor: TemplateEditorModel;
}): React.JSX.Element | null {
  useModel(model);
  const trans = useTrans();
  const now = useNow(true, 30_000);
  const { health, running, error } = model;
  if (!editor.id || editor.source === 'archived') {
    return null;
  }
  return (
    <Part
      title={trans.__('Health')}
      side={
        <Button
          small
          data-testid="slurmdash-template-check-now"
          aria-disabled={running}
          title={trans.__(
            'Try the saved template without submitting: file, image, script, limits, and what Slurm says'
          )}
          onClick={() => void model.start()}
        >
          {trans.__('Check now')}
        </Button>
      }
    >
      <div role="status">
        {(health || running) && (
          <CheckMark
            check={health?.check}
            running={running}
            now={now}
            testId="slurmdash-template-health"
          />
        )}
      </div>
      {error ? (
        <ErrorNote error={error} onRetry={() => void model.load()} />
      ) : null}
      {health?.state === 'failed' && (
        <Note kind="warning">
          {trans.__('It could not be checked: %1', health.message)}
        </Note>
      )}
      {health?.report && (
        <ul
          className="jp-slurmdash-HealthSteps"
          data-testid="slurmdash-template-steps"
        >
          {health.report.steps.map((step, at) => (
            <Step key={at} step={step} />
          ))}
        </ul>
      )}
      {health?.runs && (
        <dl
          className="jp-slurmdash-HealthRuns"
          data-testid="slurmdash-template-runs"
        >
          <dt>{trans.__('Your jobs')}</dt>
          <dd>
            {[countWords(trans, health.runs), medianWords(trans, health.runs)]
              .filter(Boolean)
              .join('; ')}
          </dd>
        </dl>
      )}
    </Part>
  );
}

function Step({ step }: { step: Check }): React.JSX.Element {
  const trans = useTrans();
  return (
    <li data-step={step.name} data-level={step.level}>
      <LevelIcon level={step.level} />
      <span>
        <b>{stepName(trans, step.name)}</b>{' '}
        {step.level === 'error' && (
          <span className="jp-slurmdash-Hidden">{trans.__('Error:')} </span>
        )}
        {step.level === 'warning' && (
          <span className="jp-slurmdash-Hidden">{trans.__('Warning:')} </span>
        )}
        {step.message}
      </span>
    </li>
  );
}

function stepName(trans: TranslationBundle, name: string): string {
  switch (name) {
    case 'schema':
      return trans.__('File');
    case 'image':
      return trans.__('Image');
    case 'parameters':
      return trans.__('Parameters');
    case 'script':
      return trans.__('Script');
    case 'resources':
      return trans.__('Resources');
    case 'slurm':
      return trans.__('Scheduler');
    default:
      return name;
  }
}
