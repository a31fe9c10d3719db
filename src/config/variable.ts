import { z } from 'zod';
import { isNetwork } from '../shared/networks.ts';

/** A variable with the sentence that the docs show. A secret is never printed. */
export const describe = <T extends z.ZodType>(schema: T, description: string, extra: { secret?: boolean } = {}): T =>
  schema.meta({ description, ...extra });

/** Parts between commas. */
export const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);
/** IP addresses and CIDR ranges between commas; none by default. */
export const networks = list
  .default([])
  .refine((entries) => entries.every(isNetwork), { error: 'Give IP addresses or CIDR ranges' });
/** A life in whole seconds. */
export const seconds = (fallback: number): z.ZodDefault<z.ZodCoercedNumber> =>
  z.coerce.number().int().positive().default(fallback) as never;
/** `true` or `false`, in words. */
export const flag = (fallback: boolean) =>
  z
    .enum(['true', 'false'])
    .default(fallback ? 'true' : 'false')
    .transform((text) => text === 'true');
