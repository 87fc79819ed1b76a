import type { SlurmClient } from '../../api/client';
import type { TemplateSummary } from '../../api/types';
import { Observable } from '../../observable';

/** The order of the shelves; categories that a site adds come after. */
const CATEGORIES = ['ml', 'cfd', 'structural', 'molecular', 'data', 'custom'];

export interface IShelf {
  category: string;
  templates: TemplateSummary[];
}

export type Source = TemplateSummary['source'];
export type Order = 'name' | 'newest';

/** The library of templates. */
export class TemplatesModel extends Observable {
  constructor(options: TemplatesModel.IOptions) {
    super();
    this._client = options.client;
  }

  items: ReadonlyArray<TemplateSummary> = [];
  /** Those that were deleted; asked for when someone wants to see them. */
  archived: ReadonlyArray<TemplateSummary> = [];
  error: unknown = null;
  loaded = false;
  query = '';
  tag = '';
  source: Source | '' = '';
  order: Order = 'name';

  /** What search and filters leave, by category. */
  get shelves(): IShelf[] {
    const { tag, source } = this;
    const items = source === 'archived' ? this.archived : this.items;
    return shelve(
      items.filter(
        item =>
          (!tag || item.tags.includes(tag)) &&
          (!source || item.source === source)
      ),
      this.query,
      this.order
    );
  }

  /** Every tag with the number of its templates, the frequent ones first. */
  get tags(): Array<[string, number]> {
    const counts = new Map<string, number>();
    for (const tag of this.items.flatMap(item => item.tags)) {
      counts.set(tag, (counts.get(tag) ?? 0) + 1);
    }
    return [...counts].sort(
      (one, other) => other[1] - one[1] || one[0].localeCompare(other[0])
    );
  }

  get narrowed(): boolean {
    return Boolean(this.query || this.tag || this.source);
  }

  find(id: string): TemplateSummary | undefined {
    return (
      this.items.find(item => item.id === id) ??
      this.archived.find(item => item.id === id)
    );
  }

  setQuery(query: string): void {
    this.narrow({ query });
  }

  narrow(
    change: Partial<Pick<TemplatesModel, 'query' | 'tag' | 'source' | 'order'>>
  ): void {
    Object.assign(this, change);
    this.notify();
    if (change.source === 'archived') {
      void this.refresh();
    }
  }

  async refresh(): Promise<void> {
    try {
      const wanted = this.source === 'archived';
      const [found, archived] = await Promise.all([
        this._client.listTemplates(),
        wanted ? this._client.listArchivedTemplates?.() : undefined
      ]);
      this.items = found.templates;
      this.archived = archived?.templates ?? this.archived;
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
  export type IClient = Pick<SlurmClient, 'listTemplates'> &
    Partial<Pick<SlurmClient, 'listArchivedTemplates'>>;
  export interface IOptions {
    client: IClient;
  }
}

/** Templates that hold every word of the query, by category; broken ones last on their shelf. */
export function shelve(
  items: ReadonlyArray<TemplateSummary>,
  query: string,
  order: Order = 'name'
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
          (order === 'newest'
            ? other.modified_at.localeCompare(one.modified_at)
            : 0) ||
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
