import type { CodeEditor } from '@jupyterlab/codeeditor';
import type { Drag } from '@lumino/dragdrop';
import type { Message } from '@lumino/messaging';
import * as React from 'react';

import { Button } from '../../components/Buttons';
import { EditorContext } from '../../components/CodeHost';
import { EmptyNote } from '../../components/Notes';
import { ReactSection } from '../../components/ReactSection';
import { useTrans } from '../../components/trans';
import { slurmIcon } from '../../icons';
import type { ISectionOptions } from '../../types';
import { readDrop } from './filesdrop';
import type { NewJobModel } from './model';
import { NewJobView } from './view';

/** What JupyterLab's file browser drags: paths below the server's root. */
const CONTENTS_MIME = 'application/x-jupyter-icontents';

const DRAGS = ['lm-dragenter', 'lm-dragleave', 'lm-dragover', 'lm-drop'];

/** The form for a new job; takes files of the desktop and of the file browser wherever they are dropped on it. */
export class NewJobWidget extends ReactSection {
  constructor(options: NewJobWidget.IOptions) {
    super(options);
    this.model = options.model;
    this._onOpenJob = options.onOpenJob;
    this._factory = options.factory;
    this.title.label = this.trans.__('New job');
    this.title.icon = slurmIcon;
    this.addClass('jp-slurmdash-NewJob');
  }

  readonly model: NewJobModel;

  handleEvent(event: Event): void {
    switch (event.type) {
      case 'dragover':
      case 'drop':
        this._onNative(event as DragEvent);
        break;
      case 'lm-dragenter':
      case 'lm-dragover':
        this._onDrag(event as Drag.Event);
        break;
      case 'lm-dragleave':
        this.removeClass('jp-mod-over');
        break;
      case 'lm-drop':
        this._onDrop(event as Drag.Event);
        break;
    }
  }

  protected override onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    for (const type of [...DRAGS, 'dragover', 'drop']) {
      this.node.addEventListener(type, this);
    }
  }

  protected override onBeforeDetach(msg: Message): void {
    for (const type of [...DRAGS, 'dragover', 'drop']) {
      this.node.removeEventListener(type, this);
    }
    super.onBeforeDetach(msg);
  }

  protected override view(): React.JSX.Element {
    return (
      <EditorContext.Provider value={this._factory}>
        <NewJobView model={this.model} onOpenJob={this._onOpenJob} />
      </EditorContext.Provider>
    );
  }

  /** A file let fall beside the zone must not make the browser leave the page. */
  private _onNative(event: DragEvent): void {
    if (
      event.defaultPrevented ||
      !event.dataTransfer?.types.includes('Files')
    ) {
      return;
    }
    event.preventDefault();
    if (event.type === 'drop') {
      void this.model.files.take(readDrop(event.dataTransfer));
    }
  }

  private _onDrag(event: Drag.Event): void {
    if (event.mimeData.hasData(CONTENTS_MIME)) {
      event.preventDefault();
      event.stopPropagation();
      event.dropAction = event.proposedAction;
      this.addClass('jp-mod-over');
    }
  }

  private _onDrop(event: Drag.Event): void {
    this.removeClass('jp-mod-over');
    if (!event.mimeData.hasData(CONTENTS_MIME)) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    event.dropAction = 'copy';
    const paths = event.mimeData.getData(CONTENTS_MIME) as string[];
    const over = event.target instanceof Element ? event.target : null;
    const slot = over?.closest<HTMLElement>('[data-slot]')?.dataset.slot;
    void this.model.files.addPaths(paths, slot);
  }

  private readonly _onOpenJob: (id: string) => void;
  private readonly _factory: CodeEditor.Factory;
}

export namespace NewJobWidget {
  export interface IOptions extends ISectionOptions {
    model: NewJobModel;
    /** Makes the editor of the script. */
    factory: CodeEditor.Factory;
    /** Show a job. */
    onOpenJob: (id: string) => void;
  }
}

/** The form's place in the side panel; while the form is open as a tab, it says where it is. */
export class NewJobSection extends NewJobWidget {
  constructor(options: NewJobSection.IOptions) {
    super(options);
    this.id = 'jp-slurmdash-newjob';
    this._onGoTo = options.onGoTo;
    this._onBring = options.onBring;
  }

  /** Is the form in a tab now? There is only one form. */
  get isAway(): boolean {
    return this._isAway;
  }
  set isAway(value: boolean) {
    this._isAway = value;
    this.update();
  }

  protected override view(): React.JSX.Element {
    return this._isAway ? (
      <AwayNote onGoTo={this._onGoTo} onBring={this._onBring} />
    ) : (
      super.view()
    );
  }

  private _isAway = false;
  private readonly _onGoTo: () => void;
  private readonly _onBring: () => void;
}

export namespace NewJobSection {
  export interface IOptions extends NewJobWidget.IOptions {
    /** Show the tab with the form. */
    onGoTo: () => void;
    /** Close the tab: the form is here again. */
    onBring: () => void;
  }
}

function AwayNote({
  onGoTo,
  onBring
}: {
  onGoTo: () => void;
  onBring: () => void;
}): React.JSX.Element {
  const trans = useTrans();
  return (
    <EmptyNote>
      <p>{trans.__('The form is open as a tab.')}</p>
      <div className="jp-slurmdash-Drop-line">
        <Button small onClick={() => onGoTo()}>
          {trans.__('Go to the tab')}
        </Button>
        <Button small onClick={() => onBring()}>
          {trans.__('Bring it here')}
        </Button>
      </div>
    </EmptyNote>
  );
}
