/** A template as plain data, in the shape of its file. */
export type Doc = Record<string, unknown>;

export type Path = ReadonlyArray<string | number>;

/** What stands at a place; undefined where there is nothing. */
export function valueAt(doc: unknown, path: Path): unknown {
  let value = doc;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) {
      return undefined;
    }
    value = (value as Record<string | number, unknown>)[step];
  }
  return value;
}

/** The document with another value at a place; `undefined` takes it out, and what that leaves empty. */
export function withValue(doc: Doc, path: Path, value: unknown): Doc {
  const [step, ...rest] = path;
  const name = String(step);
  const copy: Doc = { ...doc };
  if (rest.length) {
    const inner = copy[name];
    const below = withValue(isMap(inner) ? inner : {}, rest, value);
    if (value === undefined && Object.keys(below).length === 0) {
      delete copy[name];
    } else {
      copy[name] = below;
    }
  } else if (value === undefined) {
    delete copy[name];
  } else {
    copy[name] = value;
  }
  return copy;
}

export function isMap(value: unknown): value is Doc {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as a field shows it. */
export function shown(value: unknown): string {
  return value === undefined || value === null
    ? ''
    : typeof value === 'object'
      ? JSON.stringify(value)
      : String(value);
}

/** What was typed as the file should have it: nothing, a number where it is one, else the text. */
export function typed(text: string, kind: 'text' | 'number' | 'size'): unknown {
  if (text === '') {
    return undefined;
  }
  const plain =
    kind === 'number' ? /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i : /^\d{1,15}$/;
  return kind !== 'text' && plain.test(text.trim()) ? Number(text) : text;
}

// -- file slots --------------------------------------------------------------

export interface ISlot {
  kind: 'input' | 'config';
  required: boolean;
  /** As in the file: name, pattern, description, type, max_size, format, schema. */
  value: Doc;
}

/** Where the lists of slots may be; the first is where a new one goes. */
const PLACES: ReadonlyArray<{
  kind: ISlot['kind'];
  required: boolean;
  paths: ReadonlyArray<ReadonlyArray<string>>;
}> = (['input', 'config'] as const).flatMap(kind =>
  [true, false].map(required => {
    const old = kind === 'input' ? 'input_file_schema' : 'option_file_schema';
    const list = required ? 'required' : 'optional';
    const roots = [['files', `${kind}_schema`], ['files', old], [old]];
    return {
      kind,
      required,
      paths: roots.flatMap(root => [
        [...root, list],
        [...root, `${list}_files`]
      ])
    };
  })
);

/** The slots in the order of their lists: required inputs, optional ones, then configuration. */
export function readSlots(doc: Doc): ISlot[] {
  return PLACES.flatMap(({ kind, required, paths }) =>
    paths.flatMap(path => {
      const list = valueAt(doc, path);
      return Array.isArray(list)
        ? list.filter(isMap).map(value => ({ kind, required, value }))
        : [];
    })
  );
}

/** JSON Pointers of the slots, in the order of `readSlots`. */
export function slotPointers(doc: Doc): string[] {
  return PLACES.flatMap(({ paths }) =>
    paths.flatMap(path => {
      const list = valueAt(doc, path);
      return Array.isArray(list)
        ? list.flatMap((value, at) =>
            isMap(value) ? [`/${[...path, at].join('/')}`] : []
          )
        : [];
    })
  );
}

/** The document with these slots, each in the list that the file uses for its kind. */
export function writeSlots(doc: Doc, slots: readonly ISlot[]): Doc {
  let next = doc;
  for (const { kind, required, paths } of PLACES) {
    const mine = slots
      .filter(slot => slot.kind === kind && slot.required === required)
      .map(slot => slot.value);
    const used = paths.filter(path => valueAt(next, path) !== undefined);
    const [first = besides(next, paths, kind), ...more] = used;
    for (const path of more) {
      next = withValue(next, path, undefined);
    }
    next = withValue(next, first, mine.length ? mine : undefined);
  }
  return next;
}

/** A new list goes beside its sibling, in whatever words the file uses. */
function besides(
  doc: Doc,
  paths: ReadonlyArray<ReadonlyArray<string>>,
  kind: ISlot['kind']
): ReadonlyArray<string> {
  const root = paths.find(path => isMap(valueAt(doc, path.slice(0, -1))));
  if (!root) {
    return paths[0];
  }
  const parent = root.slice(0, -1);
  const old = Object.keys(valueAt(doc, parent) as Doc).some(name =>
    name.endsWith('_files')
  );
  const siblings = paths.filter(
    path => path.slice(0, -1).join() === parent.join()
  );
  return kind && old ? siblings[1] : siblings[0];
}

/** A slot at another place; there it becomes what its neighbour is. */
export function moveSlot(
  slots: readonly ISlot[],
  from: number,
  to: number
): ISlot[] {
  if (to < 0 || to >= slots.length || from === to) {
    return [...slots];
  }
  const { kind, required } = slots[to];
  const rest = slots.filter((_, at) => at !== from);
  rest.splice(to, 0, { ...slots[from], kind, required });
  return rest;
}

/** A name that is still free: `file`, `file_2`, … */
export function freeName(base: string, taken: Iterable<string>): string {
  const names = new Set(taken);
  for (let at = 1; ; at++) {
    const name = at === 1 ? base : `${base}_${at}`;
    if (!names.has(name)) {
      return name;
    }
  }
}

/** A map with one key under another name, at the same place. */
export function renamed(map: Doc, from: string, to: string): Doc {
  return Object.fromEntries(
    Object.entries(map).map(([name, value]) => [
      name === from ? to : name,
      value
    ])
  );
}
