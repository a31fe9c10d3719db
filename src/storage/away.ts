import { AppError, codeOf } from '../shared/errors.ts';
import { currentUnitOfWork } from './unit-of-work.ts';

const unavailableCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ETIMEDOUT',
  'EPIPE',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'EAI_AGAIN',
  '57P01',
  '57P02',
  '57P03',
  '57014',
  '53300',
  '53100',
  '53200',
  '25006',
  '08000',
  '08001',
  '08003',
  '08006',
  '55P03',
  '40001',
  '40P01',
  '58000',
  '58030',
  'XX000',
]);
const unavailableText =
  /Timeout acquiring a connection|Connection terminated|timeout expired|Query read timeout|Connection ended|not queryable|Unable to acquire|pool is probably full/i;

/** Whether this failure means that the database is away, full or read-only, rather than that we asked for nonsense. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return (
    unavailableCodes.has(codeOf(error)) || error.name === 'KnexTimeoutError' || unavailableText.test(error.message)
  );
}

/** Whether this failure took its time: whoever asks again at once waits as long again. */
const hasWaited = (error: unknown): boolean =>
  error instanceof Error &&
  (error.name === 'KnexTimeoutError' ||
    /timeout expired|Query read timeout/.test(error.message) ||
    ['57014', '55P03'].includes(codeOf(error)));

/** Remembers that the database is away, so that the answer is 503. */
export function noteFailure(error: unknown): void {
  const isAway = isDatabaseUnavailable(error) || (error instanceof AppError && error.code === 'unavailable');
  if (!isAway) return;
  // What a request leaves behind may run on and on; it must not be refused for ever.
  for (let unit = currentUnitOfWork(); unit; unit = unit.within) {
    if (unit.isOver) continue;
    unit.storeFailure ??= error;
    if (hasWaited(error)) unit.waitedInVain ??= error;
  }
}

/**
 * One wait in vain is enough for a request: with a second one it would be longer than anybody may wait.
 * @throws what failed, when this call chain has waited in vain already.
 */
export function refuseFurtherWaits(): void {
  for (let unit = currentUnitOfWork(); unit; unit = unit.within) {
    if (!unit.isOver && unit.waitedInVain !== undefined) throw unit.waitedInVain;
  }
}
