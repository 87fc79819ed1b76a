import type { SlurmClient } from '../../api/client';
import type {
  Image,
  ImageMetadata,
  ImageRuns,
  ImageTask,
  ImageWhere
} from '../../api/types';
import { Observable } from '../../observable';

export type TaskName = ImageTask['task'];

/** All that is known of one image, and the work on it that was asked for. */
export class ImageDetailModel extends Observable {
  constructor(options: ImageDetailModel.IOptions) {
    super();
    const { client, id } = options;
    this.id = id;
    this._client = client;
    this._onImage = options.onImage;
  }

  readonly id: string;
  metadata: ImageMetadata | null = null;
  where: ImageWhere | null = null;
  runs: ImageRuns | null = null;
  readonly tasks: Partial<Record<TaskName, ImageTask>> = {};
  readonly errors: Partial<Record<TaskName, unknown>> = {};

  isRunning(task: TaskName): boolean {
    return this._starting.has(task) || this.tasks[task]?.status === 'running';
  }

  /** Ask for everything; what cannot be had is left out, for the list's own fields stand in for it. */
  async load(): Promise<void> {
    const { id, _client: client } = this;
    await Promise.all([
      this._part(client.getImageWhere(id), where => (this.where = where)),
      this._part(client.getImageRuns(id), runs => (this.runs = runs)),
      this._part(
        client.getImageMetadata(id),
        metadata => (this.metadata = metadata)
      ),
      this.loadTasks()
    ]);
  }

  /** How far the work is, whoever asked for it. */
  async loadTasks(): Promise<void> {
    this._changes += 1;
    const { id, _client: client } = this;
    await Promise.all([
      this._part(client.getImageDigest(id), task => this._take(task)),
      this._part(client.getImageVerification(id), task => this._take(task))
    ]);
  }

  async start(name: TaskName): Promise<void> {
    if (this.isRunning(name)) {
      return;
    }
    const { id, _client: client } = this;
    this._starting.add(name);
    delete this.errors[name];
    this.notify();
    const before = this._changes;
    try {
      const task = await (name === 'digest'
        ? client.startImageDigest(id)
        : client.startImageVerification(id));
      this._take(task);
    } catch (error) {
      this.errors[name] = error;
    }
    this._starting.delete(name);
    this.notify();
    if (before !== this._changes) {
      // It may have ended before the answer to our asking came.
      await this.loadTasks();
    }
  }

  private async _part<T>(
    asked: Promise<T>,
    put: (value: T) => void
  ): Promise<void> {
    try {
      put(await asked);
      this.notify();
    } catch {
      // See `load`.
    }
  }

  private _take(task: ImageTask): void {
    this.tasks[task.task] = task;
    this._onImage(task.image);
  }

  private readonly _client: ImageDetailModel.IClient;
  private readonly _onImage: (image: Image) => void;
  private readonly _starting = new Set<TaskName>();
  private _changes = 0;
}

export namespace ImageDetailModel {
  export type IClient = Pick<
    SlurmClient,
    | 'getImageMetadata'
    | 'getImageWhere'
    | 'getImageRuns'
    | 'getImageDigest'
    | 'startImageDigest'
    | 'getImageVerification'
    | 'startImageVerification'
  >;
  export interface IOptions {
    client: IClient;
    id: string;
    /** The server sent the image anew. */
    onImage: (image: Image) => void;
  }
}
