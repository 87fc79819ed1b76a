import type { Image, ImageTask, Scan } from '../../../api/types';
import { Problem } from '../../../problem';
import { ImagesModel } from '../model';

const image = (name: string, more: Partial<Image> = {}): Image => ({
  id: name,
  name,
  path: `/opt/${name}`,
  node: 'n1',
  nodes: ['n1'],
  partition: 'cpu',
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

const scan = (status: Scan['status']): Scan => ({
  scan_id: 's',
  status,
  started_at: '',
  finished_at: null,
  nodes: [{ node: 'n1', status: 'waiting', images: 0 }]
});

function setup(images: Image[] = []) {
  const asked: string[] = [];
  let status: Scan['status'] = 'running';
  let work: ImageTask['status'] = 'none';
  let now = [...images];
  const task = (id: string, name: ImageTask['task']): ImageTask => ({
    image_id: id,
    task: name,
    status: work,
    message: '',
    image: now.find(item => item.id === id) ?? image(id)
  });
  const client: ImagesModel.IClient = {
    listImages: async () => {
      asked.push('list');
      return {
        images: now,
        total: now.length,
        next_cursor: null,
        scanned_at: '2026-01-01T00:00:00Z',
        read_only: true,
        node_errors: [{ node: 'n2', reason: 'auth', message: 'no' }]
      };
    },
    getImage: async id => {
      asked.push(`image ${id}`);
      return now.find(item => item.id === id)!;
    },
    getImageMetadata: async id => {
      asked.push(`metadata ${id}`);
      if (id === 'bad') {
        throw new Problem({ code: 'image-not-found', status: 404 });
      }
      return {
        id,
        labels: {},
        apps: [],
        runscript: '',
        startscript: '',
        test: '',
        environment: {},
        help: '',
        deffile: '',
        complete: true
      };
    },
    getImageWhere: async id => ({ id, shared: false, partitions: [] }),
    getImageRuns: async id => ({
      image_id: id,
      last_good: null,
      changed: null,
      message: ''
    }),
    getImageDigest: async id => task(id, 'digest'),
    startImageDigest: async id => {
      asked.push(`digest ${id}`);
      work = 'running';
      return task(id, 'digest');
    },
    getImageVerification: async id => task(id, 'verify'),
    startImageVerification: async id => {
      asked.push(`verify ${id}`);
      work = 'running';
      return task(id, 'verify');
    },
    startScan: async () => scan(status),
    getScan: async () => scan(status)
  };
  const model = new ImagesModel({ client });
  return {
    model,
    client,
    asked,
    end: () => (status = 'finished'),
    /** The work on an image is done, and has changed it. */
    finish: (id: string, more: Partial<Image>) => {
      work = 'finished';
      now = now.map(item => (item.id === id ? { ...item, ...more } : item));
    }
  };
}

const settled = () => new Promise(done => setTimeout(done, 0));

it('follows a scan to its end, and lists what it found', async () => {
  const { model, asked, end } = setup();
  await model.startScan();
  expect(model.scanning).toBe(true);
  model.onEvent({ type: 'scan_progress', channel: 'images', scan_id: 's' });
  model.onEvent({ type: 'scan_progress', channel: 'images', scan_id: 's' });
  await settled();
  end();
  model.onEvent({ type: 'scan_finished', channel: 'images', scan_id: 's' });
  await settled();
  expect(model.scanning).toBe(false);
  expect(asked).toEqual(['list']);
  expect(model.nodeErrors[0].node).toBe('n2');
  model.onEvent({ type: 'job_update', channel: 'jobs' });
});

it('lists at once when the scan ended at once', async () => {
  const { model, asked, end } = setup();
  end();
  await model.startScan();
  expect(asked).toEqual(['list']);
});

it('knows that the site scans, and keeps how the list is shown', async () => {
  const { model } = setup();
  await model.refresh();
  expect(model.readOnly).toBe(true);
  model.setGrouped(true);
  await model.refresh();
  expect(model.grouped).toBe(true);
});

it('looks at one image, and lives without what cannot be had', async () => {
  const { model, asked } = setup([image('a'), image('bad')]);
  await model.refresh();
  model.open('a');
  model.open('a');
  await settled();
  expect(model.detail?.metadata?.complete).toBe(true);
  expect(model.detail?.where?.id).toBe('a');
  const first = model.detail!;
  model.open('bad');
  await settled();
  expect(first.isDisposed).toBe(true);
  expect(model.detail?.metadata).toBeNull();
  expect(model.detail?.runs?.image_id).toBe('bad');
  model.open(null);
  expect(model.detail).toBeNull();
  expect(asked).toEqual(['list', 'metadata a', 'metadata bad']);
});

it('asks for a digest once, and takes it when it is there', async () => {
  const { model, asked, finish } = setup([image('a'), image('b')]);
  await model.refresh();
  model.open('a');
  await settled();
  const detail = model.detail!;
  const started = detail.start('digest');
  expect(detail.isRunning('digest')).toBe(true);
  void detail.start('digest');
  await started;
  expect(detail.isRunning('digest')).toBe(true);
  const items = model.items;
  finish('a', { digest: 'sha256:ab' });
  model.onEvent({ type: 'image_changed', channel: 'images', image_id: 'a' });
  await settled();
  expect(detail.isRunning('digest')).toBe(false);
  expect(model.find('a')?.digest).toBe('sha256:ab');
  expect(model.items).not.toBe(items);
  expect(asked.filter(each => each.startsWith('digest'))).toEqual(['digest a']);
});

it('is not left waiting by an end that comes before the answer to the asking', async () => {
  const { model, client, finish } = setup([image('a')]);
  await model.refresh();
  model.open('a');
  await settled();
  const start = client.startImageVerification;
  client.startImageVerification = async id => {
    const answer = await start(id);
    finish(id, { signature: 'verified' });
    model.onEvent({ type: 'image_changed', channel: 'images', image_id: id });
    await settled();
    return answer;
  };
  await model.detail!.start('verify');
  expect(model.detail!.isRunning('verify')).toBe(false);
  expect(model.find('a')?.signature).toBe('verified');
});

it('says why the work could not begin, and lets one try again', async () => {
  const { model, client } = setup([image('a')]);
  const problem = new Problem({ code: 'no-keyring', status: 409 });
  const start = client.startImageVerification;
  client.startImageVerification = async () => {
    throw problem;
  };
  await model.refresh();
  model.open('a');
  await settled();
  await model.detail!.start('verify');
  expect(model.detail!.errors.verify).toBe(problem);
  client.startImageVerification = start;
  await model.detail!.start('verify');
  expect(model.detail!.errors.verify).toBeUndefined();
  expect(model.detail!.isRunning('verify')).toBe(true);
});

it('takes what changed in an image that nobody looks at, and leaves the list alone otherwise', async () => {
  const { model, asked, finish } = setup([image('a'), image('b')]);
  await model.refresh();
  const items = model.items;
  const changed = (id: string) =>
    model.onEvent({ type: 'image_changed', channel: 'images', image_id: id });
  changed('a');
  changed('unknown');
  await settled();
  expect(model.items).toBe(items);
  finish('b', { signature: 'verified' });
  changed('b');
  await settled();
  expect(model.find('b')?.signature).toBe('verified');
  expect(asked).toEqual(['list', 'image a', 'image b']);
});

it('says what went wrong', async () => {
  const { model, client } = setup();
  const problem = new Problem({ code: 'network' });
  const fail = async () => {
    throw problem;
  };
  Object.assign(client, { listImages: fail, startScan: fail, getScan: fail });
  await model.refresh();
  expect(model.error).toBe(problem);
  await model.startScan();
  expect(model.error).toBe(problem);
  model.onEvent({ type: 'scan_progress', channel: 'images', scan_id: 's' });
  await settled();
});
