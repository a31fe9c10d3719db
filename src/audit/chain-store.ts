import type { ChainedEvent, ChainHead } from './chain.ts';

/** One link as it is stored. */
export interface Seal {
  readonly number: number;
  readonly eventId: string;
  /** Hexadecimal; null once the personal values were erased. */
  readonly salt: string | null;
  readonly personal: string;
  readonly hash: string;
}

/** A link beside its event, which is null when somebody removed it. */
export interface SealedEvent extends Seal {
  readonly event: ChainedEvent | null;
}

/** What is known of the whole chain without walking along it. */
export interface ChainState {
  readonly head: ChainHead;
  /** What retention removed last; the chain that is kept begins after it. */
  readonly start: ChainHead;
  /** When the head was sealed, milliseconds since the epoch. */
  readonly sealedAt?: number;
}

/** Events that no link has. */
export interface Unsealed {
  /** How many of the page stand where everything is sealed already: somebody slipped them in. */
  readonly inserted: readonly { readonly eventId: string; readonly before: number }[];
  /** Where the next page begins; undefined at the end. */
  readonly next?: string;
}

/** Where the chain is kept. */
export interface ChainStore {
  /** Runs this in a transaction while no other node does; undefined when one does. */
  exclusively<T>(work: () => Promise<T>): Promise<T | undefined>;
  state(): Promise<ChainState>;
  /**
   * The next settled events in the order in which they will be numbered, locked against erasure until the end of the
   * transaction; `sealed` ones have a number already. Nothing of an open transaction is before or among them.
   */
  settled(limit: number): Promise<readonly { readonly event: ChainedEvent; readonly sealed: boolean }[]>;
  /** Appends links and remembers that everything up to this event is sealed. */
  append(seals: readonly Seal[], upTo: string, now: number): Promise<void>;
  /** Links after this number, in order. */
  links(after: number, limit: number): Promise<SealedEvent[]>;
  /** Looks for events without a link, a page of all events at a time, by id. */
  unsealed(afterId: string, limit: number): Promise<Unsealed>;
  /** How many events wait for a link, counted up to `atMost`, and when the first of them happened. */
  waiting(atMost: number): Promise<{ readonly count: number; readonly since?: number }>;
  /** Removes events and links up to this one, which becomes the start. */
  cut(upTo: ChainHead): Promise<void>;
}
