import { z } from 'zod';

/** A place in a list that is sorted by time, newest first, and then by id. */
export interface Place {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly id: string;
}

const defaultLimit = 30;

const cursor = z
  .string()
  .max(200)
  .regex(/^\d{1,14}-[A-Za-z0-9_.~:-]{1,150}$/, 'This cursor is none of ours. Start without one.')
  .transform((text): Place => {
    const split = text.indexOf('-');
    return { at: Number(text.slice(0, split)), id: text.slice(split + 1) };
  });

/** Query parameters of every list that comes in pages. */
export const pageQuery = z.strictObject({
  limit: z.coerce
    .number('Give a number from 1 to 100.')
    .int('Give a whole number.')
    .min(1, 'Give a number from 1 to 100.')
    .max(100, 'Give a number from 1 to 100.')
    .default(defaultLimit)
    .meta({ description: 'Items on a page.' }),
  cursor: cursor.optional().meta({ description: '`next_cursor` of the page before.' }),
});

/** A page of these. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({
    items: z.array(item).meta({ description: 'The newest first.' }),
    next_cursor: z
      .string()
      .optional()
      .meta({ description: 'For the next page; absent on the last one. What is in it may change.' }),
  });

const cursorOf = ({ at, id }: Place): string => `${at}-${id}`;

/** A page and where it ends, from one item more than it has. */
export function cut<Item>(
  items: readonly Item[],
  limit: number,
  placeOf: (item: Item) => Place,
): { readonly shown: readonly Item[]; readonly next: { readonly next_cursor?: string } } {
  const shown = items.slice(0, limit);
  const last = shown.at(-1);
  return { shown, next: items.length > limit && last ? { next_cursor: cursorOf(placeOf(last)) } : {} };
}

/** A page of a list that is in memory as a whole, each item exactly once whatever comes and goes meanwhile. */
export function pageIn<Item>(
  all: readonly Item[],
  { limit, cursor: after }: z.output<typeof pageQuery>,
  placeOf: (item: Item) => Place,
): ReturnType<typeof cut<Item>> {
  const isAfter = (one: Place, other: Place): boolean =>
    one.at < other.at || (one.at === other.at && one.id < other.id);
  const sorted = [...all]
    .filter((item) => after === undefined || isAfter(placeOf(item), after))
    .sort((one, other) => (isAfter(placeOf(one), placeOf(other)) ? 1 : -1));
  return cut(sorted, limit, placeOf);
}
