import {
  EVERYTHING,
  ImageIndex,
  indexOf,
  isOn,
  newestOnly,
  type IImageFilter,
  type ImageFacts
} from '../imageindex';

const image = (name: string, more: Partial<ImageFacts> = {}): ImageFacts => ({
  id: name,
  name,
  path: `/opt/${name}`,
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

const CATALOGUE = [
  image('a-torch.sif', { labels: { maker: 'Lab' }, partitions: ['gpu'] }),
  image('paraview.sif', { type: 'viz', apps: ['pvserver'] }),
  image('torch_cuda.sif', { signature: 'verified', partitions: ['gpu'] }),
  image('shared.sif', { nodes: ['shared'], partitions: ['cpu', 'gpu'] })
];

function found(filter: Partial<IImageFilter>, recent: string[] = []) {
  return new ImageIndex(CATALOGUE)
    .search({ ...EVERYTHING, ...filter }, recent)
    .map(row => row.image.name);
}

it('finds by all words, wherever they stand', () => {
  expect(found({ query: 'LAB torch' })).toEqual(['a-torch.sif']);
  expect(found({ query: 'pvserver' })).toEqual(['paraview.sif']);
  expect(found({ query: 'gpu' })).toEqual(['torch_cuda.sif']);
  expect(found({ query: 'verified' })).toEqual(['torch_cuda.sif']);
  expect(found({ query: 'nothing like it' })).toEqual([]);
  expect(found({ query: '   ' })).toHaveLength(4);
});

it('puts the names that begin with it first, and before them what was used lately', () => {
  expect(found({ query: 'torch' })).toEqual(['torch_cuda.sif', 'a-torch.sif']);
  expect(found({}, ['shared.sif', 'gone', 'paraview.sif'])).toEqual([
    'shared.sif',
    'paraview.sif',
    'a-torch.sif',
    'torch_cuda.sif'
  ]);
  const [first, , other] = new ImageIndex(CATALOGUE).search(EVERYTHING, [
    'shared.sif'
  ]);
  expect([first.recent, other.recent]).toEqual([true, false]);
});

it('narrows by partition, type and app', () => {
  expect(found({ partition: 'gpu' })).toEqual([
    'a-torch.sif',
    'torch_cuda.sif',
    'shared.sif'
  ]);
  expect(found({ type: 'viz' })).toEqual(['paraview.sif']);
  expect(found({ app: 'pvserver' })).toEqual(['paraview.sif']);
  expect(found({ app: 'pvserver', partition: 'gpu' })).toEqual([]);
  const { partitions, types, apps, size } = new ImageIndex(CATALOGUE);
  expect({ partitions, types, apps, size }).toEqual({
    partitions: ['cpu', 'gpu'],
    types: ['compute', 'viz'],
    apps: ['pvserver'],
    size: 4
  });
});

it('knows that every partition has what is shared', () => {
  expect(isOn(CATALOGUE[3], 'new')).toBe(true);
  expect(isOn(CATALOGUE[0], 'cpu')).toBe(false);
});

it('stands for a family with its newest version that is found', () => {
  const index = new ImageIndex([
    image('t_3.sif', { family: 't' }),
    image('t_2.sif', { family: 't', partitions: ['gpu'] }),
    image('t_1.sif', { family: 't', partitions: ['gpu'] }),
    image('u.sif', { family: 'u' }),
    image('v.sif')
  ]);
  const rows = (filter: Partial<IImageFilter>) =>
    newestOnly(index.search({ ...EVERYTHING, ...filter })).map(row => [
      row.image.name,
      row.older
    ]);
  expect(rows({})).toEqual([
    ['t_3.sif', 2],
    ['u.sif', 0],
    ['v.sif', 0]
  ]);
  expect(rows({ partition: 'gpu' })).toEqual([['t_2.sif', 1]]);
  expect(index.family('t').map(({ name }) => name)).toEqual([
    't_3.sif',
    't_2.sif',
    't_1.sif'
  ]);
  expect(index.family(undefined)).toEqual([]);
});

it('is made once for a catalogue', () => {
  expect(indexOf(CATALOGUE)).toBe(indexOf(CATALOGUE));
  expect(indexOf([...CATALOGUE])).not.toBe(indexOf(CATALOGUE));
});
