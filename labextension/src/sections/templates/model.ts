import type { SlurmClient } from '../../api/client';
import type { TemplateSummary } from '../../api/types';
import { Observable } from '../../observable';

/** The order of the shelves; categories that a site adds come after. */
const CATEGORIES = ['ml', 'cfd', 'structural', 'molecular', 'data', 'custom'];

export interface IShelf {
  category: string;
  templates: TemplateSummary[];
}

/** The library of templates. */
export class TemplatesModel extends Observable {
  constructor(options: TemplatesModel.IOptions) {
    super();
    this._client = options.client;
  }

  items: ReadonlyArray<TemplateSummary> = [];
  error: unknown = null;
  loaded = false;
  query = '';

  /** What the search leaves, by category. */
  get shelves(): IShelf[] {
    return shelve(this.items, this.query);
  }

  setQuery(query: string): void {
    this.query = query;
    this.notify();
  }

  async refresh(): Promise<void> {
    try {
      this.items = (await this._client.listTemplates()).templates;
      this.error = null;
    } catch (error) {
      this.error = error;
    }
    this.loaded = true;
    this.notify();
  }

  private readonly _client: TemplatesModel.IClient;
}

export namespace TemplatesModel {
  export type IClient = Pick<SlurmClient, 'listTemplates'>;
  export interface IOptions {
    client: IClient;
  }
}

/** Templates that hold every word of the query, by category; broken ones last on their shelf. */
export function shelve(
  items: ReadonlyArray<TemplateSummary>,
  query: string
): IShelf[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const shelves = new Map<string, TemplateSummary[]>();
  for (const item of items) {
    const text = [
      item.display_name,
      item.name,
      item.id,
      item.description,
      item.category,
      ...item.tags
    ]
      .join(' ')
      .toLowerCase();
    if (words.every(word => text.includes(word))) {
      const shelf = shelves.get(item.category);
      if (shelf) {
        shelf.push(item);
      } else {
        shelves.set(item.category, [item]);
      }
    }
  }
  const rank = (category: string) => {
    const at = CATEGORIES.indexOf(category);
    return at < 0 ? CATEGORIES.length : at;
  };
  return [...shelves]
    .map(([category, templates]) => ({
      category,
      templates: templates.sort(
        (one, other) =>
          Number(Boolean(one.problem)) - Number(Boolean(other.problem)) ||
          nameOf(one).localeCompare(nameOf(other))
      )
    }))
    .sort(
      (one, other) =>
        rank(one.category) - rank(other.category) ||
        one.category.localeCompare(other.category)
    );
}

/** What a template is called in a list. */
export function nameOf(template: TemplateSummary): string {
  return template.display_name || template.name || template.id;
}
