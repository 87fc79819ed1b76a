/** `schema` with what its `$ref` says; its own words go before. */
export function followed<T extends { $ref?: string }>(
  root: { $defs?: Record<string, unknown> },
  schema: T
): T {
  let found = schema;
  for (let step = 0; step < 8; step++) {
    const { $ref, ...own } = found;
    if (!$ref?.startsWith('#/$defs/')) {
      break;
    }
    const target = root.$defs?.[$ref.slice('#/$defs/'.length)];
    found = { ...(target as T), ...own } as T;
  }
  return found;
}
