import type { Template, TemplateCheck } from '../../../api/types';
import { Problem } from '../../../problem';
import {
  TemplateEditorModel,
  type ITemplateDraft,
  type ITemplateDrafts
} from '../model';

/** A shelf with files, which checks and saves as the server does: line by line `key: value`. */
export class FakeShelf {
  files = new Map<string, string>();
  former: string[] = [];
  checks = 0;
  /** Answers wait for this. */
  gate: Promise<void> = Promise.resolve();
  canEdit = true;

  hash(text: string): string {
    return `h:${text}`;
  }

  template(id: string, text = this.files.get(id) ?? ''): Template {
    return {
      id,
      name: id,
      hash: this.hash(text),
      source: 'private',
      can_edit: this.canEdit
    } as Template;
  }

  client: TemplateEditorModel.IClient = {
    getTemplate: async id => this.template(id, this._there(id)),
    getTemplateText: async id => {
      const text = this._there(id);
      return { text, hash: this.hash(text) };
    },
    createTemplate: async text => {
      const id = /id: (\S+)/.exec(text)![1];
      this.files.set(id, text);
      return this.template(id);
    },
    saveTemplate: async (id, text, hash) => {
      await this.gate;
      const now = this._there(id);
      if (this.hash(now) !== hash) {
        throw new Problem({
          code: 'precondition-failed',
          status: 412,
          current: { text: now, hash: this.hash(now) }
        });
      }
      this.former.unshift(now);
      this.files.set(id, text);
      return this.template(id);
    },
    checkTemplate: async (text, document) => {
      this.checks += 1;
      await this.gate;
      const next = document ? write(document, text) : text;
      const document2 = next.includes('[') ? null : read(next);
      return {
        text: next,
        document: document2,
        template: this.template('a', next),
        problem: document2
          ? null
          : { message: 'bad', line: 2, column: 1, pointer: '' },
        errors: document2 ? [] : [{ pointer: '', message: 'bad' }]
      } as TemplateCheck;
    },
    generateScript: async id => ({
      script: `#SBATCH ${this.files.get(id)}`,
      checks: [],
      ready: true
    }),
    listTemplateVersions: async () => ({
      versions: this.former.map((text, at) => ({
        version: `v${at}`,
        hash: this.hash(text),
        size: text.length,
        saved_at: '2026-01-01T00:00:00Z'
      })),
      total: this.former.length
    }),
    getTemplateVersion: async (_, version) => ({
      version,
      hash: '',
      size: 0,
      saved_at: '2026-01-01T00:00:00Z',
      text: this.former[Number(version.slice(1))],
      diff: ''
    }),
    restoreTemplateVersion: (id, version, hash) =>
      this.client.saveTemplate(id, this.former[Number(version.slice(1))], hash)
  };

  private _there(id: string): string {
    const text = this.files.get(id);
    if (text === undefined) {
      throw new Problem({ code: 'template-not-found', status: 404 });
    }
    return text;
  }
}

export class FakeDrafts implements ITemplateDrafts {
  kept = new Map<string, ITemplateDraft>();
  load = async (key: string) => this.kept.get(key) ?? null;
  save = (key: string, draft: ITemplateDraft | null) => {
    if (draft) {
      this.kept.set(key, draft);
    } else {
      this.kept.delete(key);
    }
  };
}

function read(text: string): Record<string, unknown> {
  const values = Object.fromEntries(
    text
      .split('\n')
      .filter(line => /^\w+: /.test(line))
      .map(line => line.split(/: (.*)/).slice(0, 2))
  ) as Record<string, unknown>;
  return { ...values, template: { name: values.id } };
}

/** The document's values in the text; other lines stay. */
function write(document: Record<string, unknown>, text: string): string {
  const rest: Record<string, unknown> = { ...document };
  delete rest.template;
  const lines = text.split('\n').flatMap(line => {
    const name = /^(\w+): /.exec(line)?.[1];
    if (!name) {
      return [line];
    }
    const value = rest[name];
    delete rest[name];
    return value === undefined ? [] : [`${name}: ${String(value)}`];
  });
  return [
    ...lines,
    ...Object.entries(rest).map(([name, value]) => `${name}: ${String(value)}`)
  ].join('\n');
}
