import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import {
  MainAreaWidget,
  Notification,
  WidgetTracker
} from '@jupyterlab/apputils';
import type { IEditorServices } from '@jupyterlab/codeeditor';
import type { ITranslator } from '@jupyterlab/translation';
import { UUID } from '@lumino/coreutils';

import type { TemplateNote } from '../api/types';
import {
  TemplateEditorModel,
  type ITemplateDrafts,
  type View
} from '../sections/templateeditor/model';
import type { TemplateEditorWidget } from '../sections/templateeditor/section';
import { loadText } from '../text';
import { CommandIDs } from './ids';
import type { SlurmServices } from './services';

type Tab = MainAreaWidget<TemplateEditorWidget>;

/** The editors in the main area: one for each template. What draws them is loaded with the first. */
export class TemplateTabs {
  constructor(options: TemplateTabs.IOptions) {
    this._options = options;
  }

  /** The template of the editor in front. */
  get current(): TemplateEditorModel | null {
    return this._tabs.currentWidget?.content.model ?? null;
  }

  /** `text`: of a template that is not saved yet. */
  async open(options: {
    id?: string | null;
    key?: string;
    text?: string;
    notes?: readonly TemplateNote[];
    view?: View;
  }): Promise<void> {
    const { app } = this._options;
    const { id = null, text, notes, view } = options;
    const key = options.key ?? id ?? `new ${UUID.uuid4()}`;
    let tab = this._find(key, id);
    if (!tab) {
      tab = await this._make(key, id, { text, notes, view });
    } else if (view) {
      await tab.content.model.setView(view);
    }
    if (!tab.isAttached) {
      app.shell.add(tab, 'main', { type: 'Slurm template' });
    }
    app.shell.activateById(tab.id);
  }

  onChanged(ids: readonly string[] | null): void {
    this._tabs.forEach(({ content }) => void content.model.onChanged(ids));
  }

  /** These templates were checked, or jobs of them ended; `null`: any. */
  onHealth(ids: readonly string[] | null): void {
    this._tabs.forEach(({ content }) => void content.health.onNews(ids));
  }

  restore(restorer: ILayoutRestorer): void {
    void restorer.restore(this._tabs, {
      command: CommandIDs.editTemplate,
      args: ({ content: { model } }) => ({
        key: model.key,
        ...(model.id ? { template_id: model.id } : {})
      }),
      name: ({ content }) => content.model.key
    });
  }

  private _find(key: string, id: string | null): Tab | undefined {
    return this._tabs.find(
      ({ content: { model } }) =>
        model.key === key || (id !== null && model.id === id)
    );
  }

  private async _make(
    key: string,
    id: string | null,
    first: { text?: string; notes?: readonly TemplateNote[]; view?: View }
  ): Promise<Tab> {
    const { app, services, editors, translator, drafts } = this._options;
    const { client } = services;
    const { TemplateEditorWidget } =
      await import('../sections/templateeditor/section');
    // Another call may have been faster while that was loaded.
    const other = this._find(key, id);
    if (other) {
      return other;
    }
    const model = new TemplateEditorModel({
      key,
      id,
      ...first,
      client,
      drafts
    });
    const run = (command: string, template_id: string) =>
      void app.commands.execute(command, { template_id });
    const content = new TemplateEditorWidget({
      translator,
      model,
      client,
      factory: options => editors.factoryService.newDocumentEditor(options),
      onClone: id => run(CommandIDs.cloneTemplate, id),
      onUse: id => run(CommandIDs.useTemplate, id),
      onRestore: id => run(CommandIDs.restoreTemplate, id)
    });
    const tab: Tab = new MainAreaWidget({ content });
    tab.toolbar.hide();
    tab.id = `slurmdash-template-tab-${key.replace(/\W+/g, '-')}`;
    tab.disposed.connect(() => this._onClosed(model));
    let saved = model.id;
    model.changed.connect(() => {
      if (model.id !== saved) {
        saved = model.id;
        void this._tabs.save(tab);
      }
    });
    void this._tabs.add(tab);
    void model.load();
    return tab;
  }

  /** What was not saved is kept; here is the way back to it. */
  private _onClosed(model: TemplateEditorModel): void {
    const { key, id, dirty, title } = model;
    model.dispose();
    if (dirty) {
      const trans = loadText(this._options.translator);
      Notification.info(
        trans.__('What you changed in “%1” is kept, but not saved.', title),
        {
          actions: [
            {
              label: trans.__('Open'),
              callback: () => void this.open({ key, id })
            }
          ]
        }
      );
    }
  }

  private readonly _options: TemplateTabs.IOptions;
  private readonly _tabs = new WidgetTracker<Tab>({
    namespace: 'slurmdash-templates'
  });
}

export namespace TemplateTabs {
  export interface IOptions {
    app: JupyterFrontEnd;
    services: SlurmServices;
    editors: IEditorServices;
    translator: ITranslator;
    drafts: ITemplateDrafts;
  }
}
