import type { UploadedFile } from '../../api/types';
import { Meter } from './filesmeter';

/** Milliseconds without news after which nobody seems to send a file any more. */
const QUIET = 10_000;

/** The session's files as the server told of them. Within a session a name is there once. */
export class FilesStock {
  constructor(private readonly _now: () => number) {}

  /** Rises with what a job would see of the files, not with every byte. */
  revision = 0;

  get files(): IterableIterator<UploadedFile> {
    return this._files.values();
  }

  named(name: string): UploadedFile | undefined {
    return this._files.get(name);
  }

  withId(fileId: string): UploadedFile | undefined {
    return this.named(this._names.get(fileId) ?? '');
  }

  /** All that there is. */
  reset(files: ReadonlyArray<UploadedFile>): void {
    this._files = new Map();
    this._names = new Map();
    this.merge(files);
    for (const fileId of this._meters.keys()) {
      if (this.withId(fileId)?.state !== 'uploading') {
        this._meters.delete(fileId);
      }
    }
  }

  /** Files that are new or have changed. */
  merge(files: ReadonlyArray<UploadedFile>): void {
    for (const file of files) {
      const old = this._files.get(file.name);
      if (old && old.file_id !== file.file_id) {
        this._names.delete(old.file_id);
      }
      this._files.set(file.name, file);
      this._names.set(file.file_id, file.name);
      if (file.state !== 'uploading') {
        this._meters.delete(file.file_id);
      }
    }
    this.revision += 1;
  }

  remove(fileIds: ReadonlyArray<string>): void {
    for (const fileId of fileIds) {
      const file = this.withId(fileId);
      this._names.delete(fileId);
      this._meters.delete(fileId);
      if (file?.file_id === fileId) {
        this._files.delete(file.name);
      }
    }
    this.revision += 1;
  }

  /** Another page sends this file and has come so far. */
  moved(file: UploadedFile, offset: number): void {
    file.offset = offset;
    let meter = this._meters.get(file.file_id);
    if (!meter) {
      meter = new Meter(this._now);
      this._meters.set(file.file_id, meter);
    }
    meter.add(offset);
    this._heard.set(file.file_id, this._now());
  }

  /** How fast another page sends it; undefined while nobody does. */
  meterOf(fileId: string): Meter | undefined {
    return this._meters.get(fileId);
  }

  /** Leave off what has not been heard of for a while; the answer: is anything still sent elsewhere? */
  listen(): boolean {
    const now = this._now();
    for (const fileId of this._meters.keys()) {
      if (now - (this._heard.get(fileId) ?? 0) >= QUIET) {
        this._meters.delete(fileId);
      }
    }
    return this._meters.size > 0;
  }

  private _files = new Map<string, UploadedFile>();
  /** The server's id → name. */
  private _names = new Map<string, string>();
  private readonly _meters = new Map<string, Meter>();
  private readonly _heard = new Map<string, number>();
}
