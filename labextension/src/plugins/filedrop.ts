import type * as Base from '@jupyter-widgets/base';
import type { ITranslator } from '@jupyterlab/translation';

import type { ISlurmEvent } from '../api/events';
import { DropModel } from '../sections/newjob/drop';
import { FileDropSection } from '../sections/newjob/dropsection';
import { namesOf, showSection, type BaseClasses } from './widgethost';

/** Where a field for files gets its connection from. */
export interface IDropOptions {
  translator: ITranslator;
  model: DropModel.IOptions;
  /** Hear of what happens on the server; the answer ends it. */
  listen: (hear: (event: ISlurmEvent) => void) => () => void;
}

/** Model and view of `FileDrop` (`jupyter_slurmdash/widgets/filedrop.py`), made of the classes that JupyterLab brings. */
export function fileDropClasses(
  base: BaseClasses,
  options: IDropOptions
): Base.ExportMap {
  class FileDropModel extends base.DOMWidgetModel {
    override defaults() {
      return {
        ...super.defaults(),
        ...namesOf('FileDrop'),
        session_id: '',
        template: '',
        files: [],
        description: ''
      };
    }

    /** One for all views: they show the same uploads. */
    get drop(): DropModel {
      if (!this._drop) {
        const drop = new DropModel(options.model);
        this._drop = drop;
        this._deafen = options.listen(event => drop.onEvent(event));
        this.listenTo(this, 'change:session_id', () => this._open());
        this.listenTo(this, 'change:template', () => this._choose());
        this.listenTo(this, 'change:files', () => this._look());
        this._choose();
        this._open();
        drop.changed.connect(() => this._tell());
      }
      return this._drop;
    }

    override close(commClosed?: boolean): Promise<void> {
      this._deafen();
      this._drop?.dispose();
      return super.close(commClosed);
    }

    private _open(): void {
      void this._drop?.open(this.get('session_id') as string);
    }

    private _choose(): void {
      void this._drop?.setTemplate(this.get('template') as string);
    }

    /** The kernel has added files by itself. */
    private _look(): void {
      if (JSON.stringify(this.get('files')) !== this._told) {
        this._drop?.refresh();
      }
    }

    /** Tell the kernel; it is never asked, so a kernel that computes holds nothing up. */
    private _tell(): void {
      const { rows, files, opening } = this.drop;
      const text = JSON.stringify(rows);
      const { sessionId } = files;
      const moved = sessionId !== null && sessionId !== this.get('session_id');
      if (opening || (text === this._told && !moved)) {
        return;
      }
      this._told = text;
      if (moved) {
        this.set('session_id', sessionId);
      }
      this.set('files', rows);
      this.save_changes();
    }

    private _drop: DropModel | null = null;
    private _deafen: () => void = () => undefined;
    private _told = '[]';
  }

  class FileDropView extends base.DOMWidgetView {
    override render(): void {
      super.render();
      this._section = showSection(
        this,
        new FileDropSection({
          translator: options.translator,
          model: (this.model as FileDropModel).drop,
          description: this.model.get('description') as string
        })
      );
    }

    override remove() {
      this._section?.dispose();
      return super.remove();
    }

    private _section: FileDropSection | null = null;
  }

  return { FileDropModel, FileDropView };
}
