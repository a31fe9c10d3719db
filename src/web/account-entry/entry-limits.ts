import { addressKey, type RateCounter, rateLimited } from '../http/rate-limit.ts';

/** Bounds how often one address makes accounts and has mails sent. Each throws AppError `rate_limited`. */
export interface EntryLimits {
  /** One registration whose form was good. */
  registration(ip: string): Promise<void>;
  /** One mail that a stranger asks for: a reset, or a confirmation again. */
  mail(ip: string): Promise<void>;
}

const takeOne =
  (name: string, counter: RateCounter) =>
  async (ip: string): Promise<void> => {
    const seconds = await counter.take(addressKey(ip));
    if (seconds > 0) throw rateLimited(name, seconds);
  };

/** Counts before the work, so that of many requests at once none slips through. */
export const createEntryLimits = (counters: {
  readonly registrations: RateCounter;
  readonly mails: RateCounter;
}): EntryLimits => ({
  registration: takeOne('registration', counters.registrations),
  mail: takeOne('mail-requests', counters.mails),
});
