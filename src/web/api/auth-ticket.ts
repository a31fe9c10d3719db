import { z } from 'zod';
import type { Order } from '../../oidc/index.ts';
import type { Clock } from '../../shared/clock.ts';
import type { SecretRing } from '../../shared/crypto.ts';
import { type ClientId, randomSecret } from '../../shared/ids.ts';
import type { TryingApp } from './auth-device.ts';

/** Which surface a ticket belongs to; none takes another's. */
export type TicketUse = 'login' | 'challenge';

const content = z.object({
  id: z.string(),
  at: z.number(),
  order: z.object({
    identity: z.array(z.string()),
    api: z.array(z.string()),
    resource: z.string().exactOptional(),
    nonce: z.string().exactOptional(),
    secondFactor: z.boolean(),
  }),
  codeChallenge: z.string().exactOptional(),
  device: z.object({ id: z.string(), owner: z.string().exactOptional() }).exactOptional(),
});

/** A direct sign-in under way: what it is for. What was proven is in the sign-in domain alone. */
export interface Ticket {
  /** 256 random bits. */
  readonly id: string;
  /** When it began, milliseconds since the epoch. */
  readonly at: number;
  readonly order: Order;
  readonly codeChallenge?: string;
  /** The installation of the app that began it, when the app says. */
  readonly device?: TryingApp;
}

/** Tickets as apps carry them from one step to the next. */
export interface Tickets {
  create(order: Order, more?: Pick<Ticket, 'codeChallenge' | 'device'>): Ticket;
  /** Sealed for one client and one use: nobody else can read it or go on with it. */
  seal(use: TicketUse, client: ClientId, ticket: Ticket): string;
  open(use: TicketUse, client: ClientId, text: string): Ticket | undefined;
}

/** The longest sealed ticket that the bounds of our schemas allow, characters. */
export const longestTicket = 6_000;

const place = (use: TicketUse, client: ClientId) => ({ table: 'direct_sign_in', id: client, column: use });

/** Makes the tickets. */
export const createTickets = (secrets: SecretRing, clock: Clock): Tickets => ({
  create: (order, more = {}) => ({ id: randomSecret(), at: clock.now(), order, ...more }),

  seal: (use, client, ticket) => secrets.seal(JSON.stringify(ticket), place(use, client)),

  open(use, client, text) {
    try {
      return content.parse(JSON.parse(secrets.open(text, place(use, client))));
    } catch {
      return undefined;
    }
  },
});

/** The sign-in of a ticket, as the sign-in domain knows it: another client's ticket leads to another one. */
export const flowOf = (use: TicketUse, client: ClientId, { id }: Ticket): string => `${use}:${client}:${id}`;
