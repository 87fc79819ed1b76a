import type { SlurmClient } from '../../api/client';
import type { Health, Node, Partition } from '../../api/types';
import { Observable } from '../../observable';

/** Free and total of what a cluster has. */
export interface ICapacity {
  cpus: number;
  cpusFree: number;
  gpus: number;
  gpusFree: number;
}

/** States of nodes that take no work; Slurm adds marks such as `down*` or `idle+drain`. */
const AWAY = /down|drain|fail|maint|reboot|power|unknown|future|not_resp|\*/i;

/** What there is: the scheduler, its nodes and its partitions. */
export class ClusterModel extends Observable {
  constructor(options: ClusterModel.IOptions) {
    super();
    this._client = options.client;
  }

  health: Health | null = null;
  nodes: ReadonlyArray<Node> = [];
  partitions: ReadonlyArray<Partition> = [];
  error: unknown = null;
  loaded = false;

  get scheduler(): Health['scheduler'] | null {
    return this.health?.scheduler ?? null;
  }

  get defaultPartition(): Partition | null {
    return (
      this.partitions.find(partition => partition.is_default) ??
      this.partitions[0] ??
      null
    );
  }

  get capacity(): ICapacity {
    return capacityOf(this.nodes);
  }

  /** Ask for all three; one that fails leaves the others. */
  async refresh(): Promise<void> {
    const [health, nodes, partitions] = await Promise.allSettled([
      this._client.getHealth(),
      this._client.listNodes(),
      this._client.listPartitions()
    ]);
    if (health.status === 'fulfilled') {
      this.health = health.value;
    }
    if (nodes.status === 'fulfilled') {
      this.nodes = nodes.value.nodes;
    }
    if (partitions.status === 'fulfilled') {
      this.partitions = partitions.value.partitions;
    }
    const failed = [health, nodes, partitions].find(
      answer => answer.status === 'rejected'
    );
    this.error = failed?.status === 'rejected' ? failed.reason : null;
    this.loaded = true;
    this.notify();
  }

  private readonly _client: ClusterModel.IClient;
}

export namespace ClusterModel {
  export type IClient = Pick<
    SlurmClient,
    'getHealth' | 'listNodes' | 'listPartitions'
  >;
  export interface IOptions {
    client: IClient;
  }
}

/** Sums over the nodes that take work. */
export function capacityOf(nodes: ReadonlyArray<Node>): ICapacity {
  const sum: ICapacity = { cpus: 0, cpusFree: 0, gpus: 0, gpusFree: 0 };
  for (const node of nodes) {
    const away = AWAY.test(node.state);
    sum.cpus += node.cpus ?? 0;
    sum.gpus += node.gpus ?? 0;
    if (!away) {
      sum.cpusFree += Math.max(0, (node.cpus ?? 0) - (node.cpus_used ?? 0));
      sum.gpusFree += Math.max(0, (node.gpus ?? 0) - (node.gpus_used ?? 0));
    }
  }
  return sum;
}
