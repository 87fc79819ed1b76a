import { followed } from './schemarefs';
import type { Value } from './schemavalues';

/** Where the shared definitions are. */
type Root = { $defs?: Record<string, unknown> };

export type Values = Record<string, Value>;

/** The words that a condition may have; the server refuses a template with others. */
interface ICondition {
  $ref?: string;
  type?: string | string[];
  const?: unknown;
  enum?: unknown[];
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
  minLength?: number;
  maxLength?: number;
  required?: string[];
  properties?: Record<string, unknown>;
  not?: unknown;
  allOf?: unknown[];
  anyOf?: unknown[];
  oneOf?: unknown[];
}

/** Whether `value` fits a condition, as JSON Schema has it: a word about another type says nothing. */
export function holds(root: Root, condition: unknown, value: unknown): boolean {
  if (typeof condition !== 'object' || condition === null) {
    return condition !== false;
  }
  const c = followed<ICondition>(root, condition as ICondition);
  const fits = (part: unknown) => holds(root, part, value);
  return (
    (c.type === undefined || [c.type].flat().some(t => isOf(t, value))) &&
    (!('const' in c) || c.const === value) &&
    (c.enum === undefined || c.enum.includes(value)) &&
    numberFits(c, value) &&
    textFits(c, value) &&
    objectFits(root, c, value) &&
    (c.not === undefined || !fits(c.not)) &&
    (c.allOf ?? []).every(fits) &&
    (c.anyOf === undefined || c.anyOf.some(fits)) &&
    (c.oneOf === undefined || c.oneOf.filter(fits).length === 1)
  );
}

function isOf(type: string, value: unknown): boolean {
  switch (type) {
    case 'integer':
      return Number.isInteger(value);
    case 'null':
      return value === null;
    case 'object':
      return typeof value === 'object' && value !== null;
    default:
      return typeof value === type;
  }
}

function numberFits(c: ICondition, value: unknown): boolean {
  return (
    typeof value !== 'number' ||
    (value >= (c.minimum ?? -Infinity) &&
      value <= (c.maximum ?? Infinity) &&
      value > (c.exclusiveMinimum ?? -Infinity) &&
      value < (c.exclusiveMaximum ?? Infinity))
  );
}

function textFits(c: ICondition, value: unknown): boolean {
  if (typeof value !== 'string') {
    return true;
  }
  const length = [...value].length;
  return length >= (c.minLength ?? 0) && length <= (c.maxLength ?? Infinity);
}

function objectFits(root: Root, c: ICondition, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) {
    return true;
  }
  const values = value as Record<string, unknown>;
  return (
    (c.required ?? []).every(name => name in values) &&
    Object.entries(c.properties ?? {}).every(
      ([name, part]) => !(name in values) || holds(root, part, values[name])
    )
  );
}
