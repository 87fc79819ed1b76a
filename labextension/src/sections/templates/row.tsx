import { ellipsesIcon, errorIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { TemplateSummary } from '../../api/types';
import { Badge } from '../../components/Badge';
import { Button, IconButton } from '../../components/Buttons';
import {
  CheckMark,
  countWords,
  medianWords
} from '../../components/HealthMark';
import { useTrans } from '../../components/trans';
import { useNow } from '../../components/useModel';
import type { TemplateActions } from './actions';
import { nameOf } from './model';
import type { TemplatesSection } from './section';
import { sourceName } from './words';

interface IRowProps extends TemplatesSection.ICallbacks {
  template: TemplateSummary;
  actions: TemplateActions;
}

/** One template: a click uses it, `⋯` or the context menu does the rest. */
export function TemplateRow(props: IRowProps): React.JSX.Element {
  const { template, actions, onUse, onEdit, onMenu } = props;
  const trans = useTrans();
  const { problem, id } = template;
  const name = nameOf(template);
  const usable = !problem && template.source !== 'archived';
  return (
    <li
      className="jp-slurmdash-TemplateItem"
      onContextMenu={event => {
        event.preventDefault();
        event.stopPropagation();
        const box = event.currentTarget.getBoundingClientRect();
        // The menu key has no place of its own.
        const byKey = event.clientX === 0 && event.clientY === 0;
        onMenu(
          id,
          byKey ? box.left + 16 : event.clientX,
          byKey ? box.bottom : event.clientY
        );
      }}
    >
      <button
        type="button"
        data-row
        className={`jp-slurmdash-Row ${problem ? 'jp-mod-broken' : ''}`}
        title={
          usable
            ? trans.__('Use %1 %2 in the new job', name, template.version)
            : trans.__('Open %1', name)
        }
        data-testid={`slurmdash-template-${id}`}
        onClick={() => (usable ? onUse(id) : onEdit(id))}
      >
        <span className="jp-slurmdash-Row-head">
          {problem && (
            <errorIcon.react
              tag="span"
              className="jp-slurmdash-StateIcon jp-mod-failed"
              aria-hidden="true"
            />
          )}
          <span className="jp-slurmdash-Row-name">{name}</span>
          {problem && <Badge kind="warning">{trans.__('broken')}</Badge>}
          <Badge>{sourceName(trans, template.source)}</Badge>
        </span>
        {(problem || template.description) && (
          <span className="jp-slurmdash-Row-detail">
            {problem
              ? problem.line
                ? trans.__(
                    'Line %1, column %2: %3',
                    problem.line,
                    problem.column,
                    problem.message
                  )
                : problem.message
              : template.description}
          </span>
        )}
        <HealthLine template={template} running={actions.checking.has(id)} />
      </button>
      <IconButton
        icon={ellipsesIcon}
        label={trans.__('What to do with %1', name)}
        aria-haspopup="menu"
        data-testid={`slurmdash-template-menu-${id}`}
        onClick={event => {
          const box = event.currentTarget.getBoundingClientRect();
          onMenu(id, box.left, box.bottom);
        }}
      />
      {actions.cloning === id && (
        <CloneName actions={actions} template={template} onEdit={onEdit} />
      )}
    </li>
  );
}

/** How the template does; nothing for one that was neither checked nor used. */
function HealthLine({
  template,
  running
}: {
  template: TemplateSummary;
  running: boolean;
}): React.JSX.Element | null {
  const trans = useTrans();
  const { check, runs, id } = template;
  const now = useNow(Boolean(check), 30_000);
  if (!check && !runs && !running) {
    return null;
  }
  return (
    <span className="jp-slurmdash-Row-health">
      {(check || running) && (
        <CheckMark
          check={check}
          running={running}
          now={now}
          testId={`slurmdash-template-check-${id}`}
        />
      )}
      {runs && (
        <span title={medianWords(trans, runs)}>{countWords(trans, runs)}</span>
      )}
    </span>
  );
}

/** Asks for the copy's name where the template stands. */
function CloneName({
  actions,
  template,
  onEdit
}: {
  actions: TemplateActions;
  template: TemplateSummary;
  onEdit: (id: string) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const [name, setName] = React.useState(() =>
    trans.__('%1 (copy)', nameOf(template))
  );
  const input = React.useRef<HTMLInputElement>(null);
  React.useEffect(() => {
    // A menu that closes gives the focus back to where it was, after this.
    const timer = setTimeout(() => input.current?.select(), 50);
    return () => clearTimeout(timer);
  }, []);
  return (
    <form
      className="jp-slurmdash-CloneName"
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          actions.startClone(null);
        }
      }}
      onSubmit={event => {
        event.preventDefault();
        if (name.trim()) {
          void actions
            .clone(template.id, name.trim())
            .then(made => made && onEdit(made.id));
        }
      }}
    >
      <input
        ref={input}
        type="text"
        className="jp-slurmdash-Input"
        aria-label={trans.__('Name of the copy')}
        maxLength={200}
        value={name}
        data-testid="slurmdash-clone-name"
        onChange={event => setName(event.target.value)}
      />
      <Button
        small
        accent
        type="submit"
        disabled={!name.trim() || actions.busy}
        data-testid="slurmdash-clone-submit"
      >
        {trans.__('Clone')}
      </Button>
      <Button small onClick={() => actions.startClone(null)}>
        {trans.__('Cancel')}
      </Button>
    </form>
  );
}
