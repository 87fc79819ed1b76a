import { Problem } from '../../../problem';
import { capacityOf, ClusterModel } from '../model';

const node = (name: string, state: string) => ({
  name,
  partitions: ['p'],
  state,
  cpus: 8,
  cpus_used: 2,
  gpus: 2,
  gpus_used: 1
});

it('counts what is free on nodes that take work only', () => {
  expect(
    capacityOf([node('a', 'mixed'), node('b', 'drained'), node('c', 'idle*')])
  ).toEqual({ cpus: 24, cpusFree: 6, gpus: 6, gpusFree: 1 });
  expect(capacityOf([{ name: 'x', partitions: [], state: 'idle' }])).toEqual({
    cpus: 0,
    cpusFree: 0,
    gpus: 0,
    gpusFree: 0
  });
});

it('keeps what it got when a part fails', async () => {
  const problem = new Problem({ code: 'scheduler-unavailable', status: 503 });
  const model = new ClusterModel({
    client: {
      getHealth: async () => ({
        status: 'ok',
        version: '1',
        components: [],
        scheduler: { name: 'slurm', is_cluster: true, cluster: 'dash' }
      }),
      listNodes: () => Promise.reject(problem),
      listPartitions: async () => ({
        partitions: [
          { name: 'p', is_default: true, state: 'up', nodes: ['a'] }
        ],
        total: 1
      })
    }
  });
  expect(model.scheduler).toBeNull();
  await model.refresh();
  expect(model.scheduler?.cluster).toBe('dash');
  expect(model.defaultPartition?.name).toBe('p');
  expect(model.error).toBe(problem);
});
