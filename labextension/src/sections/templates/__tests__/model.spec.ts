import type { TemplateSummary } from '../../../api/types';
import { Problem } from '../../../problem';
import { nameOf, shelve, TemplatesModel } from '../model';

const template = (
  id: string,
  more: Partial<TemplateSummary> = {}
): TemplateSummary => ({
  id,
  name: id,
  display_name: '',
  description: '',
  category: 'ml',
  tags: [],
  version: '1.0.0',
  author: '',
  is_public: true,
  source: 'official',
  hash: '',
  modified_at: '',
  problem: null,
  ...more
});

const ITEMS = [
  template('z', { tags: ['gpu'] }),
  template('broken', {
    problem: { message: 'x', line: 1, column: 1, pointer: '' }
  }),
  template('site', { category: 'biology' }),
  template('own', { category: 'custom', description: 'Anything on a GPU' })
];

it('puts shelves in their order, a site’s own last, broken ones last on theirs', () => {
  expect(
    shelve(ITEMS, '').map(({ category, templates }) => [
      category,
      templates.map(({ id }) => id)
    ])
  ).toEqual([
    ['ml', ['z', 'broken']],
    ['custom', ['own']],
    ['biology', ['site']]
  ]);
});

it('finds by tags, names and descriptions', async () => {
  const model = new TemplatesModel({
    client: {
      listTemplates: async () => ({
        templates: ITEMS,
        total: 4,
        next_cursor: null
      })
    }
  });
  await model.refresh();
  model.setQuery('gpu');
  expect(model.shelves.map(({ category }) => category)).toEqual([
    'ml',
    'custom'
  ]);
  expect(model.loaded).toBe(true);
});

it('says what went wrong', async () => {
  const problem = new Problem({ code: 'network' });
  const model = new TemplatesModel({
    client: { listTemplates: () => Promise.reject(problem) }
  });
  await model.refresh();
  expect(model.error).toBe(problem);
});

it('has a name for every template', () => {
  expect(nameOf(template('a', { name: '' }))).toBe('a');
  expect(nameOf(template('a', { display_name: 'A' }))).toBe('A');
});
