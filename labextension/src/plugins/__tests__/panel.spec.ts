import { ServerConnection } from '@jupyterlab/services';
import {
  nullTranslator,
  type ITranslator,
  type TranslationBundle
} from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { loadText, TEXT_DOMAIN } from '../../text';
import { SlurmPanel } from '../panel';
import { SlurmServices } from '../services';

/** A translator that marks every string it was given, and notes the domains asked for. */
function markingTranslator(): { translator: ITranslator; domains: string[] } {
  const domains: string[] = [];
  const base = nullTranslator.load('');
  const bundle: TranslationBundle = { ...base, __: text => `«${text}»` };
  const translator: ITranslator = {
    languageCode: 'ko-KR',
    load: domain => {
      domains.push(domain);
      return bundle;
    }
  };
  return { translator, domains };
}

function setup(translator: ITranslator = nullTranslator) {
  const executed: string[] = [];
  const services = new SlurmServices({
    serverSettings: ServerConnection.makeSettings({ baseUrl: 'http://h/' }),
    store: { load: async () => null, save: () => undefined },
    trans: loadText(translator)
  });
  const panel = new SlurmPanel({
    translator,
    services,
    factory: () => {
      throw new Error('Nobody edits a script here.');
    },
    execute: id => executed.push(id)
  });
  return { panel, services, executed };
}

function headings(panel: SlurmPanel): string[] {
  return panel.widgets.map(section => section.title.label);
}

describe('SlurmPanel', () => {
  it('has its sections in the order people think', () => {
    const { panel } = setup();
    expect(headings(panel)).toEqual(['New job', 'Jobs', 'Templates', 'Images']);
    panel.dispose();
  });

  it('takes its heading, caption and sections from the translator', () => {
    const { translator, domains } = markingTranslator();
    const { panel } = setup(translator);
    expect(panel.title.caption).toBe('«Slurm»');
    expect(headings(panel)).toEqual([
      '«New job»',
      '«Jobs»',
      '«Templates»',
      '«Images»'
    ]);
    expect(domains).toContain(TEXT_DOMAIN);
    panel.dispose();
  });

  it('shows a section another extension adds, below its own', () => {
    const { panel } = setup();
    const section = new Widget();
    section.title.label = 'Site news';
    panel.addSection(section);
    Widget.attach(panel, document.body);
    expect(headings(panel).at(-1)).toBe('Site news');
    expect(panel.node.textContent).toContain('Site news');
    panel.dispose();
  });

  it('tells in a heading what goes on while the section is folded', () => {
    const { panel, services } = setup();
    const job = {
      run_id: 'r',
      name: 'n',
      raw_state: '',
      user: 'me',
      submitted_at: null,
      cluster: 'c',
      workdir: '/'
    };
    services.jobs.put({ ...job, job_id: '1', state: 'RUNNING' });
    services.jobs.put({ ...job, job_id: '2', run_id: 's', state: 'PENDING' });
    expect(headings(panel)[1]).toBe('Jobs · 1 running, 1 waiting');
    panel.dispose();
  });

  it('gives the room of the form to the others while it is a tab', () => {
    const { panel } = setup();
    panel.setFormAway(true);
    expect(panel.newJob.isHidden && panel.newJob.isAway).toBe(true);
    panel.setFormAway(false);
    expect(panel.newJob.isHidden).toBe(false);
    panel.dispose();
  });
});
