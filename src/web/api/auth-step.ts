import type { Context } from 'koa';
import type { z } from 'zod';
import type { Client, Clients } from '../../clients/index.ts';
import type { ClientProof, ProtocolAnswer, ProtocolCalls } from '../../oidc/index.ts';
import type { Sessions } from '../../sessions/index.ts';
import type { Clock } from '../../shared/clock.ts';
import { sha256 } from '../../shared/crypto.ts';
import { AppError } from '../../shared/errors.ts';
import { randomSecret } from '../../shared/ids.ts';
import type { Step } from '../../sign-in/index.ts';
import type { RequestMeta } from '../request-meta.ts';
import { directClient, proofOf, refusalOf, unproven } from './auth-client.ts';
import { type DirectParts, type DirectVisit, issueCode, keepDevice, type Progress } from './auth-direct.ts';
import type { requiresAction, tokens } from './auth-replies.ts';
import type { Ticket, Tickets } from './auth-ticket.ts';

/** What the operations of a direct sign-in need. */
export interface SignInNeeds extends DirectParts {
  readonly issuer: string;
  readonly calls: ProtocolCalls;
  readonly clients: Pick<Clients, 'find'>;
  readonly sessions: Pick<Sessions, 'open' | 'end' | 'endAll'>;
  readonly tickets: Tickets;
  readonly clock: Clock;
}

/** A step of one app. */
export interface Visit extends Omit<DirectVisit, 'use'> {
  readonly ctx: Context;
  readonly proof: ClientProof;
}

/** Group in the docs. */
export const tag = 'Direct sign-in';
const wrongPassword = 'The name or the password is not right.';
/** What is said of a challenge that nobody can go on with. */
export const over = 'This sign-in is over. Start again with the password.';

/** What is left to do in a browser, and where. */
const actions: Partial<Record<Step | string, readonly [action: string, path: string]>> = {
  'enroll-totp': ['enroll_second_factor', '/account/two-step'],
  'show-backup-codes': ['store_backup_codes', '/account/two-step'],
  'verify-email': ['verify_email', '/account'],
  'change-password': ['change_password', '/account/password'],
};

/** Whole seconds, one at least. */
export const secondsUntil = (clock: Clock, moment: number | undefined): number =>
  Math.max(1, Math.ceil(((moment ?? 0) - clock.now()) / 1000));

/** The tokens in a protocol answer. @throws AppError for its refusal */
export function tokensOf(ctx: Context, answer: ProtocolAnswer, refusal: string): z.input<typeof tokens> {
  if (answer.status !== 200) throw refusalOf(ctx, answer, refusal);
  return answer.body as z.input<typeof tokens>;
}

/** Ends the sign-in with tokens. They are redeemed as any code is, so that they are as any tokens are. */
async function complete(needs: SignInNeeds, { ctx, proof, ...visit }: Visit, progress: Progress & { kind: 'done' }) {
  const verifier = randomSecret();
  const code = await issueCode(needs, { ...visit, use: 'login' }, progress.finished, sha256(verifier));
  if (code === undefined) throw new AppError('expired', over);
  const redeemed = tokensOf(ctx, await needs.calls.redeem(ctx, proof, { code, verifier }), over);
  return { ...redeemed, ...(await keepDevice(needs, { ...visit, use: 'login' }, progress.finished)) };
}

function action(issuer: string, step: Step): z.input<typeof requiresAction> {
  const [name, path] = actions[step] ?? ['continue_in_browser', '/account'];
  return { requires_action: name, url: `${issuer}${path}` };
}

const wrongWords = {
  wrong_code: 'That code is not right.',
  used_code: 'That code was used before.',
  mismatch: 'That passkey does not open this account.',
} as const;

const tries = (left: number): string => (left === 1 ? 'One more try is left.' : `${left} more tries are left.`);

/** What the app is told of a sign-in that has no tokens yet. */
function report(needs: SignInNeeds, { ctx, client, ticket }: Visit, progress: Exclude<Progress, { kind: 'done' }>) {
  const { clock, tickets, issuer } = needs;
  if (progress.kind === 'paused') {
    const retryAfter = secondsUntil(clock, progress.retryAt);
    throw new AppError('rate_limited', 'Too many tries. Wait before the next one.', { retryAfter, reason: 'paused' });
  }
  if (progress.kind === 'moved') throw new AppError('conflict', 'Another request with this challenge was faster.');
  if (progress.kind === 'over') throw new AppError('expired', over);
  if (progress.kind === 'password') throw unproven(ctx, wrongPassword);
  if (progress.kind === 'pages') return action(issuer, progress.step);
  const { methods, attemptsLeft, expiresAt, wrong } = progress;
  if (wrong !== undefined) {
    throw unproven(ctx, `${wrongWords[wrong]} ${tries(attemptsLeft ?? 0)}`, { code: wrongWords[wrong] });
  }
  return {
    requires_2fa: true as const,
    challenge_id: tickets.seal('login', client.id, ticket),
    methods: [...methods],
    expires_in: secondsUntil(clock, expiresAt),
    ...(attemptsLeft !== undefined && { attempts_left: attemptsLeft }),
  };
}

interface Given {
  readonly ctx: Context;
  readonly meta: RequestMeta;
}

/** Runs one step: the client first, then the ticket, then what the person typed. */
export function step<Body extends Readonly<Record<string, unknown>>>(
  needs: SignInNeeds,
  { ctx, meta, body }: Given & { readonly body: Body },
  run: (visit: Omit<Visit, 'ticket'>) => Promise<{ readonly ticket: Ticket; readonly progress: Progress }>,
) {
  return needs.calls.together(async () => {
    const proof = proofOf(ctx, body);
    const client: Client = await directClient(needs, ctx, proof);
    const { ticket, progress } = await run({ ctx, meta, proof, client });
    const visit = { ctx, meta, proof, client, ticket };
    const answer = progress.kind === 'done' ? await complete(needs, visit, progress) : report(needs, visit, progress);
    return { status: 200, body: answer } as const;
  });
}

/** What all steps may be refused for. */
export const refusals = {
  forbidden: 'The client is not marked for direct sign-in.',
  rate_limited: 'Too many tries by this address or at this account, by pages and API together. Wait for `Retry-After`.',
  conflict: 'Another request was faster, or the account has as many sessions as it may have.',
};
