import * as React from 'react';

import { CodeHost, type ITag } from '../../components/CodeHost';
import { isOf, type IOrigin } from '../../components/ScriptLines';
import { useTrans } from '../../components/trans';
import { useModel } from '../../components/useModel';
import { BY_HAND } from './fieldwords';
import type { FieldLink } from './link';
import type { NewJobModel } from './model';

/** The script in JupyterLab's own editor; leaving it takes over what was typed. */
export function ScriptEditor({
  model,
  link,
  origins
}: {
  model: NewJobModel;
  link: FieldLink;
  origins: ReadonlyArray<IOrigin>;
}): React.JSX.Element {
  const trans = useTrans();
  useModel(link);
  const hintId = React.useId();
  const { field } = link;
  const tags = React.useMemo(
    () =>
      origins.flatMap(({ byHand, pointer, words }, index): ITag[] => {
        const lit = field !== null && isOf(pointer, field);
        return byHand || lit
          ? [
              {
                line: index + 1,
                className: `${byHand ? 'jp-slurmdash-HandLine' : ''} ${lit ? 'jp-slurmdash-LitLine' : ''}`,
                title: words
              }
            ]
          : [];
      }),
    [origins, field]
  );
  return (
    <div
      data-pointer={BY_HAND}
      tabIndex={-1}
      className="jp-slurmdash-ScriptEditor"
      onBlur={event => {
        if (!event.currentTarget.contains(event.relatedTarget)) {
          link.set({ fromScript: null });
          model.editor.leave();
        }
      }}
    >
      <CodeHost
        label={trans.__('The script, to edit by hand')}
        describedBy={hintId}
        mimeType="text/x-sh"
        value={model.script}
        tags={tags}
        testId="slurmdash-script-editor"
        onChange={text => model.editor.type(text)}
        onLine={line =>
          link.set({ fromScript: origins[line - 1]?.pointer || null })
        }
      />
      <p id={hintId} className="jp-slurmdash-Field-hint">
        {trans.__(
          'What a field can hold goes to that field. Esc, then Tab, leaves the editor.'
        )}
      </p>
    </div>
  );
}
