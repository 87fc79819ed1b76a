import * as React from 'react';

import type { ImageFacts } from '../imageindex';
import { ImagePicker } from '../ImagePicker';
import { click, draw, press, type } from './render';

const image = (name: string, more: Partial<ImageFacts> = {}): ImageFacts => ({
  id: `id-${name}`,
  name,
  path: `/opt/${name}`,
  nodes: ['n1', 'n2'],
  partitions: ['cpu'],
  type: 'compute',
  size: 2048,
  version: '1',
  description: `About ${name}`,
  labels: {},
  apps: [],
  is_active: true,
  signature: 'unsigned',
  ...more
});

const IMAGES = [
  image('alpha.sif', { labels: { cuda: '12' }, apps: ['train'] }),
  image('beta.sif', { problem: 'The file is cut off.' }),
  image('gamma.sif', { partitions: ['gpu'], signature: 'verified' }),
  image('<img src=x onerror=alert(1)>.sif', { nodes: ['shared'] })
];

function setup(props: Partial<React.ComponentProps<typeof ImagePicker>> = {}) {
  const chosen: Array<string | null> = [];
  const page = draw(
    <ImagePicker
      label="Image"
      images={IMAGES}
      value={null}
      emptyText="No images yet."
      testId="box"
      optionTestId="option"
      onChange={id => chosen.push(id)}
      {...props}
    />
  );
  const box = page.get<HTMLInputElement>('box');
  const names = () =>
    [
      ...page.host.querySelectorAll('[role="option"] .jp-slurmdash-Row-name')
    ].map(({ textContent }) => textContent);
  const active = () =>
    page.host.querySelector(
      `[id="${box.getAttribute('aria-activedescendant')}"]`
    )?.textContent;
  const open = () => box.getAttribute('aria-expanded') === 'true';
  return { ...page, box, chosen, names, active, open };
}

describe('ImagePicker', () => {
  it('opens, moves, chooses and closes by keys', () => {
    const { box, chosen, active, open, remove } = setup();
    press(box, 'Home');
    expect(open()).toBe(false);
    press(box, 'ArrowDown');
    expect(open()).toBe(true);
    expect(active()).toContain('alpha.sif');
    press(box, 'End');
    expect(active()).toContain('<img');
    press(box, 'Home');
    press(box, 'ArrowDown');
    press(box, 'ArrowDown');
    expect(active()).toContain('gamma.sif');
    press(box, 'Enter');
    expect(chosen).toEqual(['id-gamma.sif']);
    expect(open()).toBe(false);
    press(box, 'ArrowUp');
    press(box, 'Escape');
    expect(open()).toBe(false);
    remove();
  });

  it('finds while one types, and leaves the caret its own keys', () => {
    const { box, names, chosen, remove } = setup();
    type(box, 'gam');
    expect(names()).toEqual(['gamma.sif']);
    press(box, 'End');
    press(box, 'Enter');
    expect(chosen).toEqual(['id-gamma.sif']);
    type(box, 'none such');
    expect(names()).toEqual([]);
    expect(box.getAttribute('aria-expanded')).toBe('false');
    remove();
  });

  it('does not take what cannot be used, and says why', () => {
    const { box, chosen, get, host, remove } = setup();
    click(box);
    expect(get('option-id-beta.sif').textContent).toContain('cut off');
    click(get('option-id-beta.sif'));
    press(box, 'Enter');
    expect(chosen).toEqual([]);
    expect(host.querySelector('img')).toBeNull();
    remove();
  });

  it('says what is not where the job shall run', () => {
    const { box, get, names, remove } = setup({ partition: 'gpu' });
    click(box);
    expect(get('option-id-alpha.sif').textContent).toContain(
      'Not on the nodes of gpu'
    );
    expect(get('option-id-gamma.sif').textContent).toContain('verified');
    expect(names()).toHaveLength(4);
    remove();
    const narrow = setup({ partition: 'gpu', narrow: true });
    click(narrow.box);
    expect(narrow.names()).toEqual([
      'gamma.sif',
      '<img src=x onerror=alert(1)>.sif'
    ]);
    narrow.remove();
  });

  it('shows facts, badges and what was used lately', () => {
    const { box, get, names, host, remove } = setup({
      recent: ['id-gamma.sif']
    });
    click(box);
    expect(names()[0]).toBe('gamma.sif');
    expect(get('option-id-alpha.sif').textContent).toContain('GPU');
    expect(get('option-id-alpha.sif').textContent).toContain('on 2 nodes');
    const preview = get('slurmdash-image-preview');
    expect(preview.textContent).toContain('About gamma.sif');
    React.act(() => {
      get('option-id-alpha.sif').dispatchEvent(
        new MouseEvent('mouseover', { bubbles: true })
      );
    });
    expect(preview.textContent).toContain('About alpha.sif');
    expect(preview.textContent).toContain('train');
    expect(host.querySelector('[data-signature="verified"]')?.textContent).toBe(
      'verified'
    );
    remove();
  });

  it('shows what is chosen, takes it back, and misses what is gone', () => {
    const { box, host, chosen, remove } = setup({ value: 'id-gamma.sif' });
    expect(box.value).toBe('gamma.sif');
    click(host.querySelector('[aria-label="Clear Image"]')!);
    expect(chosen).toEqual([null]);
    remove();
    const gone = setup({ value: 'id-other' });
    expect(gone.host.textContent).toContain('no longer there');
    gone.remove();
  });

  it('closes when one clicks elsewhere or goes on, not when the focus is taken away', () => {
    const { box, host, open, remove } = setup();
    const leave = (to: Element | null) =>
      React.act(() => {
        box.dispatchEvent(
          new FocusEvent('focusout', { bubbles: true, relatedTarget: to })
        );
      });
    click(box);
    leave(null);
    expect(open()).toBe(true);
    press(box, 'Tab');
    leave(host.querySelector('select'));
    expect(open()).toBe(true);
    leave(document.body);
    expect(open()).toBe(true);
    press(box, 'Tab');
    leave(document.body);
    expect(open()).toBe(false);
    click(box);
    React.act(() => {
      document.body.dispatchEvent(new Event('pointerdown', { bubbles: true }));
    });
    expect(open()).toBe(false);
    remove();
  });

  it('says that the catalogue is empty', () => {
    const { box, host, remove } = setup({ images: [] });
    click(box);
    expect(host.textContent).toContain('No images yet.');
    remove();
  });
});
