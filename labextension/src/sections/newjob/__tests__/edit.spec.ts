import type { Preview } from '../../../api/types';
import {
  emptySettings,
  toSubmission,
  withTemplate,
  emptyDraft
} from '../draft';
import {
  answer,
  readInto,
  restoreEdit,
  setInForm,
  takeOver,
  toAsk,
  typed
} from '../edit';
import { restoreDraft } from '../store';

const BASE = '#!/bin/bash\n#SBATCH --mem=1G\n:\n';

function preview(change: Partial<Preview>): Preview {
  return { script: BASE, generated: BASE, checks: [], ready: true, ...change };
}

const FORM = { ...emptySettings(), options: { mem: '1G', nodes: '2' } };

describe('a script edited by hand', () => {
  it('shows in the form what was read, and takes it back when it is not in the text any more', () => {
    let form = typed(FORM, BASE, 'one');
    form = readInto(form, preview({ read_back: { mem: '2G', job_name: 'x' } }));
    expect(form.options).toEqual({ mem: '2G', nodes: '2' });
    expect(form.jobName).toBe('x');
    expect(form.edit?.text).toBe('one');
    // The server reads the text itself: it is asked with the form of before.
    expect(toAsk(form)).toEqual({
      options: FORM.options,
      jobName: '',
      edit: { base: BASE, text: 'one' }
    });
    form = typed(form, 'another base', 'two');
    form = readInto(form, preview({ read_back: {} }));
    expect(form.options).toEqual(FORM.options);
    expect(form.jobName).toBe('');
    expect(form.edit?.base).toBe(BASE);
  });

  it('is a difference to what is generated, once it was read', () => {
    const generated = BASE.replace('1G', '2G');
    const script = `${generated}true\n`;
    const form = takeOver(
      typed(FORM, BASE, 'x'),
      preview({ script, generated, read_back: { mem: '2G' } })
    );
    expect(form.options.mem).toBe('2G');
    expect(form.edit).toEqual({
      base: generated,
      text: script,
      before: null,
      since: {},
      conflicts: []
    });
    expect(toAsk(form).options.mem).toBe('2G');
  });

  it('is none when all of it was read, and stays when no script could be written', () => {
    const form = typed(FORM, BASE, 'x');
    expect(takeOver(form, preview({})).edit).toBeNull();
    expect(takeOver(form, preview({ script: '', generated: '' }))).toBe(form);
    expect(takeOver(FORM, preview({}))).toBe(FORM);
  });

  it('gives way to a field that was set after it was typed', () => {
    let form = setInForm(typed(FORM, BASE, 'x'), { options: { mem: '8G' } });
    form = setInForm(form, { jobName: 'later' });
    expect(toAsk(form).options.mem).toBe('1G');
    const generated = BASE.replace('1G', '2G');
    form = takeOver(
      form,
      preview({
        script: `${generated}true\n`,
        generated,
        read_back: { mem: '2G', nodes: '3', job_name: 'typed' }
      })
    );
    expect(form.options).toEqual({ mem: '8G', nodes: '3' });
    expect(form.jobName).toBe('later');
    expect(form.edit?.since).toEqual({});
    expect(setInForm(FORM, { jobName: 'x' }).edit).toBeNull();
  });
});

describe('where form and hand differ', () => {
  const generated = 'a\n#SBATCH --mem=2G\nb\n';
  const taken = takeOver(
    typed(FORM, BASE, 'x'),
    preview({
      script: 'a\nb\nmine\n',
      generated,
      conflicts: [{ line: 2, kept: [], other: ['#SBATCH --mem=2G'] }]
    })
  );
  const edit = taken.edit!;

  it('asks until it is answered', () => {
    const again = takeOver(
      taken,
      preview({ script: 'a\nb\nmine\n', generated })
    );
    expect(again.edit?.conflicts).toEqual(edit.conflicts);
    expect(answer(edit, edit.conflicts[0], 'mine')).toEqual({
      ...edit,
      conflicts: []
    });
  });

  it('puts back what was taken out, at its place', () => {
    expect(answer(edit, edit.conflicts[0], 'form').text).toBe(
      'a\n#SBATCH --mem=2G\nb\nmine\n'
    );
    const moved = { ...edit, text: `new\n${edit.text}` };
    expect(answer(moved, moved.conflicts[0], 'form').text).toBe(
      'new\na\n#SBATCH --mem=2G\nb\nmine\n'
    );
  });

  it("puts the form's lines where one's own are, wherever they are by now", () => {
    const conflict = { line: 2, kept: ['mine'], other: ['theirs', 'too'] };
    const own = { ...edit, text: 'x\ny\nmine\nz\n', conflicts: [conflict] };
    expect(answer(own, conflict, 'form').text).toBe('x\ny\ntheirs\ntoo\nz\n');
    const gone = { ...own, text: 'x\n' };
    expect(answer(gone, conflict, 'form').text).toBe('x\n');
  });

  it('asks no more what the form wants no more, and only the latest', () => {
    const later = 'a\n#SBATCH --mem=4G\nb\n';
    const script = 'a\nb\nmine\n';
    expect(
      takeOver(taken, preview({ script, generated: later })).edit?.conflicts
    ).toEqual([]);
    const fresh = { line: 2, kept: [], other: ['#SBATCH --mem=4G'] };
    expect(
      takeOver(taken, preview({ script, generated: later, conflicts: [fresh] }))
        .edit?.conflicts
    ).toEqual([fresh]);
  });
});

describe('an edit in the draft', () => {
  const form = typed(FORM, BASE, 'x');

  it('survives a reload, whatever was stored', () => {
    const stored = JSON.parse(JSON.stringify(form.edit));
    expect(restoreEdit(stored)).toEqual(form.edit);
    expect(restoreEdit({ base: 'b', text: 't', conflicts: [{}] })).toEqual({
      base: 'b',
      text: 't',
      before: null,
      since: {},
      conflicts: []
    });
    for (const wrong of [null, 'x', {}, { base: 1, text: '' }]) {
      expect(restoreEdit(wrong)).toBeNull();
    }
    expect(restoreDraft({ edit: stored }, 'k').edit).toEqual(form.edit);
  });

  it('is sent with the form of before it', () => {
    const draft = { ...emptyDraft('k'), ...form, options: { mem: '2G' } };
    expect(toSubmission(draft, null)).toMatchObject({
      options: { mem: '1G', nodes: 2 },
      edit: { base: BASE, text: 'x' }
    });
    expect(toSubmission(emptyDraft('k'), null)).not.toHaveProperty('edit');
  });

  it('belongs to its template, and to none', () => {
    const bare = { ...emptyDraft('k'), imageId: 'i', edit: form.edit };
    const one = withTemplate(bare, 'one');
    expect(one.edit).toBeNull();
    const edited = { ...one, edit: { ...form.edit!, text: 'ones' } };
    const two = withTemplate(edited, 'two');
    expect(two.edit).toBeNull();
    expect(withTemplate(two, 'one').edit?.text).toBe('ones');
    expect(withTemplate(two, null).edit).toEqual(form.edit);
  });
});
