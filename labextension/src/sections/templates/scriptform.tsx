import * as React from 'react';

import { Button } from '../../components/Buttons';
import { ErrorNote } from '../../components/Notes';
import { useTrans } from '../../components/trans';
import type { AskedScript } from './askedscript';

/** Asks for a batch script, pasted or from a file of this computer; one that cannot be read stays, with the reason. */
export function ScriptForm({
  script,
  onScript
}: {
  script: AskedScript;
  onScript: (text: string, name: string) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const box = React.useRef<HTMLTextAreaElement>(null);
  const files = React.useRef<HTMLInputElement>(null);
  const { text, name, error, busy } = script;
  React.useEffect(() => box.current?.focus(), []);
  const submit = () => {
    if (text.trim() && !busy) {
      onScript(text, name);
    }
  };
  return (
    <form
      className="jp-slurmdash-ScriptForm"
      aria-label={trans.__('New template from a script')}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          script.hide();
        } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
          event.preventDefault();
          submit();
        }
      }}
      onSubmit={event => {
        event.preventDefault();
        submit();
      }}
    >
      <label>
        {trans.__('Batch script')}
        <textarea
          ref={box}
          className="jp-slurmdash-Input"
          data-testid="slurmdash-script-text"
          spellCheck={false}
          rows={8}
          placeholder={'#!/bin/bash\n#SBATCH --ntasks=4\n…'}
          value={text}
          onChange={event => script.ask({ text: event.target.value })}
        />
      </label>
      {error ? <ErrorNote error={error} /> : null}
      <input
        ref={files}
        type="file"
        hidden
        accept={SCRIPTS.map(kind => `.${kind}`).join(',')}
        data-testid="slurmdash-script-file"
        onChange={event => {
          const file = event.target.files?.[0];
          event.target.value = '';
          void file
            ?.text()
            .then(text =>
              script.ask({ text, name: nameOfFile(file.name), error: null })
            );
        }}
      />
      <div className="jp-slurmdash-ScriptForm-acts">
        <Button
          small
          accent
          type="submit"
          disabled={!text.trim()}
          // It keeps the focus while it works.
          aria-disabled={busy}
          title={trans.__('Make a template of it (Ctrl Enter)')}
          data-testid="slurmdash-script-submit"
        >
          {trans.__('Make a template')}
        </Button>
        <Button
          small
          data-testid="slurmdash-script-choose"
          onClick={() => files.current?.click()}
        >
          {trans.__('Choose a file…')}
        </Button>
        <Button small onClick={() => script.hide()}>
          {trans.__('Cancel')}
        </Button>
      </div>
    </form>
  );
}

/** How the files of batch scripts end. */
export const SCRIPTS = ['sh', 'bash', 'sbatch', 'slurm', 'job', 'batch'];

export function isScript(name: string, text = ''): boolean {
  const ending = name.split('.').pop()?.toLowerCase() ?? '';
  return SCRIPTS.includes(ending) || text.startsWith('#!');
}

export function nameOfFile(path: string): string {
  const name = path.split('/').pop() ?? '';
  return name.replace(/\.[^.]*$/, '') || name;
}
