import * as React from 'react';

import { Button } from '../../components/Buttons';
import { useTrans } from '../../components/trans';
import type { FilesModel } from './files';
import { useSlotDrop } from './filesdrag';

/** The ways to bring files in: drop them, choose them or a folder, or name what is on the cluster. */
export function DropZone({ files }: { files: FilesModel }): React.JSX.Element {
  const trans = useTrans();
  const { over, ...dropping } = useSlotDrop(null, files);
  return (
    <div
      className={`jp-slurmdash-Drop ${over ? 'jp-mod-over' : ''}`}
      data-testid="slurmdash-drop-zone"
      data-pointer="/files"
      tabIndex={-1}
      {...dropping}
    >
      <div className="jp-slurmdash-Drop-line jp-mod-wrap">
        <span>{trans.__('Drop files or folders, or')}</span>
        <span className="jp-slurmdash-Drop-buttons">
          <ChooseButton
            text={trans.__('Choose files')}
            testId="slurmdash-file-input"
            onFiles={chosen => void files.add(chosen)}
          />
          <ChooseButton
            folder
            text={trans.__('Choose folder')}
            testId="slurmdash-folder-input"
            onFiles={chosen => void files.add(chosen)}
          />
        </span>
      </div>
      <ClusterFiles files={files} />
    </div>
  );
}

/** Files that are on the cluster already, by path or out of JupyterLab's file browser. */
function ClusterFiles({ files }: { files: FilesModel }): React.JSX.Element {
  const trans = useTrans();
  const [path, setPath] = React.useState('');
  const addPath = async () => {
    if (path.trim() && (await files.addPath(path.trim()))) {
      setPath('');
    }
  };
  const { chooser } = files;
  return (
    <div className="jp-slurmdash-Drop-line">
      <input
        type="text"
        className="jp-slurmdash-Input"
        aria-label={trans.__('Path on this cluster')}
        data-testid="slurmdash-path-input"
        autoComplete="off"
        spellCheck={false}
        placeholder={trans.__('or a path on this cluster')}
        title={trans.__(
          'A file that is on the cluster already; nothing is copied'
        )}
        value={path}
        onChange={event => setPath(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Enter') {
            void addPath();
          }
        }}
      />
      {path.trim() || !chooser ? (
        <Button
          small
          data-testid="slurmdash-path-add"
          disabled={!path.trim()}
          onClick={() => void addPath()}
        >
          {trans.__('Add')}
        </Button>
      ) : (
        <Button
          small
          data-testid="slurmdash-path-browse"
          title={trans.__('Choose files of this cluster; nothing is copied')}
          onClick={() => void chooser().then(chosen => files.addPaths(chosen))}
        >
          {trans.__('Browse…')}
        </Button>
      )}
    </div>
  );
}

/** A button that lets one choose files of this computer, or a folder. */
export function ChooseButton({
  text,
  label,
  folder = false,
  tabIndex,
  testId,
  onFiles
}: {
  text: string;
  label?: string;
  folder?: boolean;
  tabIndex?: number;
  testId?: string;
  onFiles: (files: File[]) => void;
}): React.JSX.Element {
  const input = React.useRef<HTMLInputElement>(null);
  return (
    <>
      <Button
        small
        aria-label={label}
        tabIndex={tabIndex}
        onClick={() => input.current?.click()}
      >
        {text}
      </Button>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        tabIndex={-1}
        aria-label={label ?? text}
        data-testid={testId}
        {...(folder ? { webkitdirectory: '' } : {})}
        onChange={event => {
          const chosen = [...(event.target.files ?? [])];
          // The same file may be chosen again.
          event.target.value = '';
          if (chosen.length) {
            onFiles(chosen);
          }
        }}
      />
    </>
  );
}
