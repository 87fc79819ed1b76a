import {
  nullTranslator,
  type ITranslator,
  type TranslationBundle
} from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';

import { TEXT_DOMAIN } from '../../text';
import { SlurmPanel } from '../panel';

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

function headings(panel: SlurmPanel): string[] {
  return panel.widgets.map(section => section.title.label);
}

describe('SlurmPanel', () => {
  it('has its sections in the order people think', () => {
    const panel = new SlurmPanel({ translator: nullTranslator });
    expect(headings(panel)).toEqual(['New job', 'Jobs', 'Images']);
    panel.dispose();
  });

  it('takes its heading, caption and sections from the translator', () => {
    const { translator, domains } = markingTranslator();
    const panel = new SlurmPanel({ translator });
    expect(panel.title.caption).toBe('«Slurm»');
    expect(headings(panel)).toEqual(['«New job»', '«Jobs»', '«Images»']);
    expect(domains).toContain(TEXT_DOMAIN);
    panel.dispose();
  });

  it('shows a section another extension adds, below its own', () => {
    const panel = new SlurmPanel({ translator: nullTranslator });
    const section = new Widget();
    section.title.label = 'Site news';
    panel.addSection(section);
    Widget.attach(panel, document.body);
    expect(headings(panel).at(-1)).toBe('Site news');
    expect(panel.node.textContent).toContain('Site news');
    panel.dispose();
  });
});
