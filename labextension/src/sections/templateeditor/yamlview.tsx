import * as React from 'react';

import { useTrans } from '../../components/trans';
import { CodeHost, type ICodeHandle } from '../../components/CodeHost';
import type { TemplateEditorModel } from './model';
import { problemRows } from './problems';

/** The template as its file is. */
export function YamlView({
  model,
  code
}: {
  model: TemplateEditorModel;
  code: React.Ref<ICodeHandle>;
}): React.JSX.Element {
  const trans = useTrans();
  const { problem, errors, text } = model;
  // The editor knows one kind of line end; the file keeps its own.
  const windows = text.includes('\r\n');
  const marks = React.useMemo(
    () => problemRows({ problem, errors, text }),
    // The places are those of the text that was checked; while someone types they move with it.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [problem, errors]
  );
  return (
    <CodeHost
      ref={code}
      label={trans.__('YAML of the template')}
      mimeType="text/x-yaml"
      value={windows ? text.replaceAll('\r\n', '\n') : text}
      readOnly={!model.canEdit}
      marks={marks}
      testId="slurmdash-yaml"
      onChange={value =>
        model.setText(windows ? value.replaceAll('\n', '\r\n') : value)
      }
    />
  );
}
