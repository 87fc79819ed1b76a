import type { Image, Scan } from '../../../api/types';
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
  const client: ImagesModel.IClient = {
    listImages: async () => {
      asked.push('list');
      return {
        images,
        total: images.length,
        next_cursor: null,
        scanned_at: '2026-01-01T00:00:00Z',
        node_errors: [{ node: 'n2', reason: 'auth', message: 'no' }]
      };
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
    startScan: async () => scan(status),
    getScan: async () => scan(status)
  };
  const model = new ImagesModel({ client });
  return {
    model,
    client,
    asked,
    end: () => (status = 'finished')
  };
}

const settled = () => new Promise(done => setTimeout(done, 0));

it('filters by words, partition and type', async () => {
  const { model } = setup([
    image('torch.sif', { labels: { maker: 'Lab' }, partitions: ['gpu'] }),
    image('paraview.sif', { type: 'viz', apps: ['pvserver'] })
  ]);
  await model.refresh();
  const names = () => model.shown.map(({ name }) => name);
  model.setFilter({ query: 'lab' });
  expect(names()).toEqual(['torch.sif']);
  model.setFilter({ query: 'PVSERVER' });
  expect(names()).toEqual(['paraview.sif']);
  model.setFilter({ query: '', partition: 'gpu' });
  expect(names()).toEqual(['torch.sif']);
  model.setFilter({ partition: '', type: 'viz' });
  expect(names()).toEqual(['paraview.sif']);
  expect(model.partitions).toEqual(['cpu', 'gpu']);
  expect(model.types).toEqual(['compute', 'viz']);
});

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

it('asks for metadata once, and lives without', async () => {
  const { model, asked } = setup();
  await model.loadMetadata('a');
  await model.loadMetadata('a');
  await model.loadMetadata('bad');
  expect(asked).toEqual(['metadata a', 'metadata bad']);
  expect(model.metadata('a')?.complete).toBe(true);
  expect(model.metadata('bad')).toBeUndefined();
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
