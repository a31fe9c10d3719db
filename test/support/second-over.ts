import { setTimeout as delay } from 'node:timers/promises';

/** Waits for the next whole second, by which tokens and ends of access are dated. A timer may be early by a part of one. */
export async function secondOver(): Promise<void> {
  const second = Math.floor(Date.now() / 1000);
  while (Math.floor(Date.now() / 1000) === second) await delay(1000 - (Date.now() % 1000));
}
