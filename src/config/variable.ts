import { z } from 'zod';

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
/** A life in whole seconds. */
export const seconds = (fallback: number): z.ZodDefault<z.ZodCoercedNumber> =>
  z.coerce.number().int().positive().default(fallback) as never;
/** `true` or `false`, in words. */
export const flag = (fallback: boolean) =>
  z
    .enum(['true', 'false'])
    .default(fallback ? 'true' : 'false')
    .transform((text) => text === 'true');
