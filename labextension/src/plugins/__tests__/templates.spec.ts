import type { TemplateSummary } from '../../api/types';
import { CommandIDs } from '../ids';
import { offered } from '../templatecommands';
import { TemplateDrafts } from '../templatedrafts';

const DRAFT = { id: 'a', text: 'typed', base: null, pending: null };

beforeEach(() => localStorage.clear());

it('keeps each editor’s draft at once, and forgets it when it is saved', async () => {
  jest.useFakeTimers();
  const drafts = new TemplateDrafts();
  drafts.save('a', DRAFT);
  drafts.save('b', { ...DRAFT, text: 'other' });
  expect((await new TemplateDrafts().load('a'))?.text).toBe('typed');
  expect((await new TemplateDrafts().load('b'))?.text).toBe('other');
  drafts.save('a', null);
  expect(await new TemplateDrafts().load('a')).toBeNull();
  await jest.runAllTimersAsync();
  expect(localStorage).toHaveLength(1);
  jest.useRealTimers();
});

it('takes the newer of this browser’s and the workspace’s', async () => {
  const there = { savedAt: 10, draft: { ...DRAFT, text: 'there' } };
  const state = { fetch: async () => there } as never;
  let now = 5;
  const drafts = new TemplateDrafts({ state, now: () => now });
  drafts.save('a', DRAFT);
  expect((await drafts.load('a'))?.text).toBe('there');
  now = 20;
  drafts.save('a', DRAFT);
  expect((await drafts.load('a'))?.text).toBe('typed');
});

it('survives a storage that is full', async () => {
  const storage = {
    setItem: () => {
      throw new Error('full');
    },
    getItem: () => '{broken'
  } as unknown as Storage;
  const drafts = new TemplateDrafts({ storage });
  drafts.save('a', DRAFT);
  expect(await drafts.load('a')).toBeNull();
});

it('offers what can be done with a template as it is', () => {
  const of = (more: Partial<TemplateSummary>) =>
    offered({ id: 'a', problem: null, ...more } as TemplateSummary);
  expect(of({ source: 'private', can_edit: true })).toContain(
    CommandIDs.shareTemplate
  );
  expect(of({ source: 'community', can_edit: true })).toContain(
    CommandIDs.unshareTemplate
  );
  const official = of({ source: 'official', can_edit: false });
  expect(official).toContain(CommandIDs.cloneTemplate);
  expect(official).not.toContain(CommandIDs.deleteTemplate);
  const problem = { message: '', line: 1, column: 1, pointer: '' };
  const broken = of({ source: 'private', can_edit: true, problem });
  expect(broken).not.toContain(CommandIDs.useTemplate);
  expect(broken).toContain(CommandIDs.editTemplate);
  expect(of({ source: 'archived', can_edit: true })[0]).toBe(
    CommandIDs.restoreTemplate
  );
});
