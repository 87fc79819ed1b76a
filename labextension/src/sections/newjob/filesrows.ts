import type { UploadedFile } from '../../api/types';
import { Meter, timeLeft } from './filesmeter';
import type { SendQueue } from './filesqueue';
import type { FilesStock } from './filesstock';

export type FileState =
  | 'queued'
  | 'uploading'
  | 'paused'
  /** The line or the server is away; tried again by itself. */
  | 'waiting'
  | 'complete'
  | 'failed'
  /** Another browser sends it. */
  | 'elsewhere'
  /** The server has a part of it, and this page does not hold the file. */
  | 'interrupted';

/** One file of the job, wherever its bytes are. */
export interface IFileRow {
  /** Stays the same while the file goes from this page to the server. */
  key: string;
  /** The server's id, once it knows the file. */
  fileId: string | null;
  /** A path for a file of a folder. */
  name: string;
  slot: string | null;
  /** data, config, code or model; empty until the server has said. */
  type: string;
  state: FileState;
  origin: 'upload' | 'path';
  path: string | null;
  /** Bytes; null while not known. */
  size: number | null;
  sent: number;
  /** Bytes per second, 0 while not known. */
  speed: number;
  /** Seconds left, null while not known. */
  eta: number | null;
  error: unknown;
  sha256: string | null;
  /** Its contents can be listed. */
  archive: boolean;
  /** This page sends it. */
  local: boolean;
}

/** A file that this page sends, or is about to. */
export interface ISending {
  key: string;
  name: string;
  file: File;
  slot: string | undefined;
  /** It takes the place of the file of its name. */
  replace: boolean;
  /** See `api/fingerprint`; empty until it is needed. */
  fingerprint: string;
  fileId: string | null;
  state: FileState;
  sent: number;
  meter: Meter;
  error: unknown;
}

export function rowOfSending(sending: ISending): IFileRow {
  const { file, sent, state } = sending;
  const speed = state === 'uploading' ? sending.meter.speed : 0;
  return {
    key: sending.key,
    fileId: sending.fileId,
    name: sending.name,
    slot: sending.slot ?? null,
    type: '',
    state,
    origin: 'upload',
    path: null,
    size: file.size,
    sent: Math.min(sent, file.size),
    speed,
    eta: timeLeft(file.size, sent, speed),
    error: sending.error,
    sha256: null,
    archive: false,
    local: true
  };
}

/** A file of the session; `meter` is there while another browser sends it. */
export function rowOfServer(
  file: UploadedFile,
  key: string,
  meter: Meter | undefined
): IFileRow {
  const speed = meter?.speed ?? 0;
  return {
    key,
    fileId: file.file_id,
    name: file.name,
    slot: file.slot,
    type: file.type,
    state:
      file.state !== 'uploading'
        ? file.state
        : meter
          ? 'elsewhere'
          : 'interrupted',
    origin: file.origin,
    path: file.path ?? null,
    size: file.size,
    sent: file.offset,
    speed,
    eta: timeLeft(file.size, file.offset, speed),
    error: file.problem ? new Error(file.problem) : null,
    sha256: file.sha256,
    archive: file.archive === true && file.state === 'complete',
    local: false
  };
}

/** All files: those of the server in their order, as this page knows better where it sends them, then the new ones. */
export function rowsOf(
  stock: FilesStock,
  queue: Pick<SendQueue, 'items' | 'named'>,
  keys: ReadonlyMap<string, string>
): IFileRow[] {
  const rows: IFileRow[] = [];
  for (const file of stock.files) {
    const item = queue.named(file.name);
    const { file_id: id } = file;
    const meter = stock.meterOf(id);
    if (!item || (item.fileId === id && item.state === 'paused' && meter)) {
      rows.push(rowOfServer(file, keys.get(id) ?? id, meter));
    } else {
      const row = rowOfSending(item);
      // The server has found its slot, and what it is.
      rows.push(
        item.fileId === id
          ? { ...row, type: file.type, slot: row.slot ?? file.slot }
          : row
      );
    }
  }
  for (const item of queue.items.values()) {
    if (!stock.named(item.name)) {
      rows.push(rowOfSending(item));
    }
  }
  return rows;
}

/** Sums over files. */
export interface ITotals {
  files: number;
  complete: number;
  failed: number;
  /** On their way from this page. */
  moving: number;
  /** Could be resumed here. */
  paused: number;
  elsewhere: number;
  /** The file has to be chosen again. */
  interrupted: number;
  size: number;
  sent: number;
}

export function totalsOf(rows: ReadonlyArray<IFileRow>): ITotals {
  const totals: ITotals = {
    files: rows.length,
    complete: 0,
    failed: 0,
    moving: 0,
    paused: 0,
    elsewhere: 0,
    interrupted: 0,
    size: 0,
    sent: 0
  };
  for (const row of rows) {
    if (row.state in MOVING) {
      totals.moving += 1;
    } else {
      totals[row.state as 'complete'] += 1;
    }
    if (row.state !== 'failed') {
      totals.size += row.size ?? row.sent;
      totals.sent += row.state === 'complete' ? (row.size ?? 0) : row.sent;
    }
  }
  return totals;
}

const MOVING = { queued: 1, uploading: 1, waiting: 1 };
