import type { CodeEditor } from '@jupyterlab/codeeditor';
import * as React from 'react';

import { ReactSection } from '../../components/ReactSection';
import { slurmIcon } from '../../icons';
import type { ISectionOptions } from '../../types';
import { EditorContext } from '../../components/CodeHost';
import { HealthModel } from './healthmodel';
import type { TemplateEditorModel } from './model';
import { VersionsModel } from './versionsmodel';
import { EditorView } from './view';

/** The editor of one template, for the main area. */
export class TemplateEditorWidget extends ReactSection {
  constructor(options: TemplateEditorWidget.IOptions) {
    super(options);
    this._options = options;
    this.model = options.model;
    this._versions = new VersionsModel({
      client: options.client,
      editor: options.model
    });
    this.health = new HealthModel({
      client: options.client,
      editor: options.model
    });
    this.addClass('jp-slurmdash-TemplateEditor');
    this.title.icon = slurmIcon;
    this.title.closable = true;
    this.model.changed.connect(this._onChanged, this);
    this._onChanged();
  }

  readonly model: TemplateEditorModel;
  readonly health: HealthModel;

  override dispose(): void {
    this.model.changed.disconnect(this._onChanged, this);
    this._versions.dispose();
    this.health.dispose();
    super.dispose();
  }

  protected override view(): React.JSX.Element {
    const { model, factory, onClone, onUse, onRestore } = this._options;
    return (
      <EditorContext.Provider value={factory}>
        <EditorView
          model={model}
          versions={this._versions}
          health={this.health}
          onClone={onClone}
          onUse={onUse}
          onRestore={onRestore}
        />
      </EditorContext.Provider>
    );
  }

  private _onChanged(): void {
    const { title, dirty } = this.model;
    this.title.label = title || this.trans.__('New template');
    this.title.caption = dirty
      ? this.trans.__('%1: not saved', this.title.label)
      : this.title.label;
    this.title.className = dirty ? 'jp-mod-dirty' : '';
  }

  private readonly _options: TemplateEditorWidget.IOptions;
  private readonly _versions: VersionsModel;
}

export namespace TemplateEditorWidget {
  export interface IOptions extends ISectionOptions {
    model: TemplateEditorModel;
    client: TemplateEditorModel.IClient & HealthModel.IClient;
    factory: CodeEditor.Factory;
    onClone: (id: string) => void;
    onUse: (id: string) => void;
    onRestore: (id: string) => void;
  }
}
