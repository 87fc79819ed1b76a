import * as React from 'react';

import type { Image, ImageRuns, ImageWhere } from '../../../api/types';
import {
  click,
  draw,
  hearCopies,
  press,
  type
} from '../../../components/__tests__/render';
import { ImagesModel } from '../model';
import { ImagesView } from '../view';

const image = (name: string, more: Partial<Image> = {}): Image => ({
  id: name,
  name: `${name}.sif`,
  path: `/opt/${name}.sif`,
  node: 'n1',
  nodes: ['n1'],
  partitions: ['cpu'],
  type: 'compute',
  size: 1,
  version: '1',
  description: '',
  labels: {},
  apps: [],
  is_active: true,
  signature: 'unsigned',
  ...more
});

const IMAGES = [
  image('torch-3', { family: 'torch', version: '3' }),
  image('torch-2', {
    family: 'torch',
    version: '2',
    digest: `sha256:${'ab12'.repeat(16)}`,
    signature: 'verified',
    signatures: [
      { kind: 'pgp', fingerprint: '0123456789ABCDEF', hash: 'sha256' }
    ],
    verification: {
      state: 'verified',
      message: 'All is signed.',
      keys: ['Ann <ann@example.org>'],
      checked_at: '2026-01-01T00:00:00Z'
    }
  }),
  image('broken', { problem: 'The file is cut off.' })
];

const WHERE: ImageWhere['partitions'] = [
  { partition: 'all', nodes_with: ['n1', 'n2'], nodes_without: [] },
  {
    partition: 'compute',
    nodes_with: ['n1', 'n2', 'n4'],
    nodes_without: ['n3']
  },
  { partition: 'gpu', nodes_with: [], nodes_without: ['g1'] },
  {
    partition: 'big',
    nodes_with: ['b1'],
    nodes_without: ['b2', 'b3', 'b4', 'b5']
  }
];

async function setup(readOnly = false, runs: Partial<ImageRuns> = {}) {
  const started: string[] = [];
  const never = () => Promise.reject(new Error('not asked for'));
  const model = new ImagesModel({
    client: {
      listImages: async () => ({
        images: IMAGES,
        total: IMAGES.length,
        next_cursor: null,
        scanned_at: '2026-01-01T00:00:00Z',
        read_only: readOnly,
        node_errors: []
      }),
      getImage: never,
      getImageMetadata: never,
      getImageWhere: async id => ({ id, shared: false, partitions: WHERE }),
      getImageRuns: async id => ({
        image_id: id,
        last_good: null,
        changed: null,
        message: '',
        ...runs
      }),
      getImageDigest: never,
      startImageDigest: async id => {
        started.push(id);
        return never();
      },
      getImageVerification: never,
      startImageVerification: never,
      startScan: never,
      getScan: never
    }
  });
  await model.refresh();
  const called: string[] = [];
  const page = draw(
    <ImagesView
      model={model}
      recent={() => []}
      onUse={id => called.push(`use ${id}`)}
      onDraft={id => called.push(`draft ${id}`)}
    />
  );
  const settle = () => React.act(async () => void (await null));
  const open = async (id: string) => {
    click(page.get(`slurmdash-image-${id}`));
    await settle();
    await settle();
  };
  return { ...page, model, called, started, settle, open };
}

it('opens an image by keys, and comes back', async () => {
  const { host, get, remove, settle } = await setup();
  const list = host.querySelector('[role="listbox"]')!;
  press(list, 'ArrowDown');
  press(list, 'Enter');
  await settle();
  const detail = get('slurmdash-image-detail');
  expect(detail.querySelector('h3')?.textContent).toBe('torch-2.sif');
  expect(document.activeElement?.textContent).toBe('torch-2.sif');
  press(detail, 'Escape');
  expect(get('slurmdash-image-detail')).toBeNull();
  remove();
});

it('leads from the list to the search box by `/` and by typing', async () => {
  const { host, get, remove } = await setup();
  const box = get<HTMLInputElement>('slurmdash-images-search');
  const list = () => host.querySelector<HTMLElement>('[role="listbox"]')!;
  list().focus();
  press(list(), '/');
  expect(document.activeElement).toBe(box);
  expect(box.value).toBe('');
  list().focus();
  press(list(), 'b');
  expect(box.value).toBe('b');
  expect(document.activeElement).toBe(box);
  type(box, 'brok');
  expect(host.querySelectorAll('[role="option"]')).toHaveLength(1);
  press(list(), 'Backspace');
  expect(box.value).toBe('bro');
  press(box, 'Escape');
  expect(box.value).toBe('');
  type(box, 'none such');
  expect(host.textContent).toContain('No image matches');
  remove();
});

it('says where the image is, whose it is and what it was', async () => {
  const { get, open, remove } = await setup(false, {
    changed: true,
    last_good: {
      job_id: '1543',
      name: 'train',
      ended_at: new Date(Date.now() - 2 * 86_400_000).toISOString(),
      image_digest: null,
      sif_id: null
    }
  });
  await open('torch-2');
  const where = get('slurmdash-image-where');
  expect([...where.children].map(({ textContent }) => textContent)).toEqual([
    'all: on all its 2 nodes',
    'compute: 3 of 4 nodes, not on n3',
    'gpu: on none of its nodes',
    'big: 1 of 5 nodes, only on b1'
  ]);
  expect(get('slurmdash-image-runs').textContent).toBe(
    'Changed since your last good run (job 1543, 2 days ago)'
  );
  expect(get('slurmdash-image-sha256').textContent).toBe('ab12ab12ab12…ab12');
  expect(get('slurmdash-image-verdict').textContent).toContain('Ann');
  const detail = get('slurmdash-image-detail');
  expect(detail.textContent).toContain('0123 4567 89AB CDEF');
  expect(detail.textContent).toContain('Verify again');
  remove();
});

it('leads to the other versions, to a template and to a job', async () => {
  const { get, open, called, model, settle, remove } = await setup();
  await open('torch-3');
  const versions = get('slurmdash-image-versions');
  expect(versions.textContent).toContain('1 more version');
  click(get('slurmdash-image-draft'));
  click(get('slurmdash-image-use'));
  expect(called).toEqual(['draft torch-3', 'use torch-3']);
  click(versions.querySelector('button')!);
  await settle();
  expect(model.detail?.id).toBe('torch-2');
  remove();
});

it('says why an image cannot be used, and does not use it', async () => {
  const { get, open, called, remove } = await setup();
  await open('broken');
  expect(get('slurmdash-image-detail').textContent).toContain('cut off');
  click(get('slurmdash-image-use'));
  expect(called).toEqual([]);
  remove();
});

it('computes a digest on demand, and says what went wrong', async () => {
  const { get, open, started, settle, remove } = await setup();
  await open('torch-3');
  click(get('slurmdash-image-digest'));
  await settle();
  await settle();
  expect(started).toEqual(['torch-3']);
  expect(get('slurmdash-image-detail').textContent).toContain('not asked for');
  remove();
});

it('copies a digest, also on a page of plain http', async () => {
  const { get, open, remove } = await setup();
  const copies = hearCopies();
  await open('torch-2');
  const button = (label: string) =>
    get('slurmdash-image-detail').querySelector(`[aria-label="${label}"]`)!;
  click(button('Copy the SHA-256'));
  expect(copies).toEqual(['ab12'.repeat(16)]);
  expect(button('Copied')).not.toBeNull();
  remove();
});

it('shows the newest versions only, where one wishes', async () => {
  const { host, get, remove } = await setup();
  click(get('slurmdash-images-grouped'));
  expect(host.querySelectorAll('[role="option"]')).toHaveLength(2);
  expect(get('slurmdash-image-torch-3').textContent).toContain('+1');
  expect(host.textContent).toContain('2 of 3 images');
  remove();
});

it('has no scan button where the site scans', async () => {
  const own = await setup();
  expect(own.get('slurmdash-scan-button')).not.toBeNull();
  own.remove();
  const { get, host, remove } = await setup(true);
  expect(get('slurmdash-scan-button')).toBeNull();
  expect(host.textContent).toContain('Scanned by the site');
  remove();
});
