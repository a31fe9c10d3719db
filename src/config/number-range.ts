import { z } from 'zod';

interface Bounds {
  readonly type?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
}

/** Which numbers a schema takes, in words that follow "Give". Undefined for a schema of something else. */
export function numberRange(schema: z.ZodType): string | undefined {
  const bounds = z.toJSONSchema(schema, { io: 'output', unrepresentable: 'any' }) as Bounds;
  const { type, maximum = Number.MAX_SAFE_INTEGER, exclusiveMinimum } = bounds;
  if (type !== 'integer' && type !== 'number') return undefined;
  const least = Math.max(bounds.minimum ?? (exclusiveMinimum ?? -1) + 1, Number.MIN_SAFE_INTEGER);
  const any = least === Number.MIN_SAFE_INTEGER ? '' : `, ${least} or more`;
  const range = maximum < Number.MAX_SAFE_INTEGER ? ` from ${least} to ${maximum}` : any;
  return `a ${type === 'integer' ? 'whole ' : ''}number${range}`;
}
