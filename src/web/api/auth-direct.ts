import type { Client } from '../../clients/index.ts';
import type { DirectSignIn, FirstPartyCodes } from '../../oidc/index.ts';
import type { Sessions } from '../../sessions/index.ts';
import { AppError } from '../../shared/errors.ts';
import type { FinishedSignIn, FlowView, SecondFactor, SignIn, Step, SubmitResult } from '../../sign-in/index.ts';
import type { RequestMeta } from '../request-meta.ts';
import type { AttemptLimits } from '../sign-in/attempt-limits.ts';
import { type AppDevices, idFor } from './auth-device.ts';
import { flowOf, type Ticket, type TicketUse } from './auth-ticket.ts';

/** What direct sign-ins are made of: the engine, the limits and the sessions that the sign-in pages have. */
export interface DirectParts {
  readonly signIn: Pick<
    SignIn,
    | 'submitPassword'
    | 'submitTotp'
    | 'submitBackupCode'
    | 'submitEmailCode'
    | 'submitPasskey'
    | 'mailSecondStep'
    | 'beginPasskey'
    | 'view'
    | 'finish'
    | 'recordSuccess'
  >;
  readonly attempts: AttemptLimits;
  readonly firstParty: FirstPartyCodes;
  readonly sessions: Pick<Sessions, 'open' | 'end'>;
  /** Seconds that a sign-in without refresh tokens is good for. */
  readonly accessTokenSeconds: number;
  readonly appDevices: AppDevices;
}

/** A sign-in of one client, and from where it comes. */
export interface DirectVisit {
  readonly use: TicketUse;
  readonly client: Client;
  readonly ticket: Ticket;
  readonly meta: RequestMeta;
}

/** Where a sign-in stands after a step. */
export type Progress =
  | { readonly kind: 'done'; readonly finished: FinishedSignIn }
  /** The name or the password was not right, or there was none yet. */
  | { readonly kind: 'password'; readonly wrong: boolean }
  | {
      readonly kind: 'code';
      readonly methods: readonly SecondFactor[];
      readonly wrong?: 'wrong_code' | 'used_code' | 'mismatch';
      readonly attemptsLeft?: number;
      /** Milliseconds since the epoch. */
      readonly expiresAt?: number;
    }
  /** Something that only the pages can do. */
  | { readonly kind: 'pages'; readonly step: Step }
  /** Milliseconds since the epoch. */
  | { readonly kind: 'paused'; readonly retryAt?: number }
  /** Another request took the step. */
  | { readonly kind: 'moved' }
  | { readonly kind: 'over' };

/** Every way through the second door, as JSON names it. */
export const secondFactors = ['totp', 'passkey', 'backup_code', 'email'] as const satisfies readonly SecondFactor[];

/** What was shown at the second door. */
export type Shown =
  | { readonly method: Exclude<SecondFactor, 'passkey'>; readonly code: string }
  /** What the platform gave for the options (WebAuthn), as JSON text or parsed. */
  | { readonly method: 'passkey'; readonly response: unknown };

function standing(view: FlowView): Progress {
  const { step, attemptsLeft, challengeExpiresAt: expiresAt } = view;
  if (step === 'done') return { kind: 'moved' };
  if (step === 'password') return { kind: 'password', wrong: false };
  if (step !== 'second-factor') return { kind: 'pages', step };
  return {
    kind: 'code',
    methods: view.ways ?? [],
    ...(attemptsLeft !== undefined && { attemptsLeft }),
    ...(expiresAt !== undefined && { expiresAt }),
  };
}

function refusal({ reason, retryAt, view }: Extract<SubmitResult, { outcome: 'refused' }>): Progress {
  if (reason === 'paused' || (reason === 'too_many_codes' && retryAt !== undefined)) {
    return { kind: 'paused', ...(retryAt !== undefined && { retryAt }) };
  }
  if (!view) return { kind: 'over' };
  const now = standing(view);
  if (reason === 'mismatch' && now.kind === 'password') return { ...now, wrong: true };
  const wrong = reason === 'wrong_code' || reason === 'used_code' || reason === 'mismatch' ? reason : undefined;
  if (wrong !== undefined && now.kind === 'code') return { ...now, wrong };
  return reason === 'wrong_step' ? now : { kind: 'over' };
}

const isLost = (error: unknown): error is AppError =>
  error instanceof AppError && (error.code === 'expired' || error.code === 'conflict');

/** What came of a step. When nothing is left to prove this ends the sign-in, and only one request can. */
async function settle({ signIn }: DirectParts, flow: string, result: SubmitResult): Promise<Progress> {
  if (result.outcome === 'refused') return refusal(result);
  if (result.finished) return { kind: 'done', finished: result.finished };
  if (result.view.step !== 'done') return standing(result.view);
  try {
    return { kind: 'done', finished: await signIn.finish(flow) };
  } catch (error) {
    if (isLost(error)) return { kind: error.code === 'expired' ? 'over' : 'moved' };
    throw error;
  }
}

/** The installation of the app, whose failures count apart once the account has signed in with it. */
const deviceOf = ({ device }: Ticket) => (device ? { device: { id: device.id } } : {});

/** The first door. A name that nobody has and a wrong password are the same, in the answer and in its time. */
export async function tryPassword(
  parts: DirectParts,
  { use, client, ticket, meta }: DirectVisit,
  { username, password }: { readonly username: string; readonly password: string },
): Promise<Progress> {
  const flow = flowOf(use, client.id, ticket);
  const login = username.trim();
  const requirement = { secondFactor: ticket.order.secondFactor };
  const start = { clientId: client.id, requirement, startedAt: ticket.at };
  const result = await parts.attempts.attempt({ ip: meta.ip, login, deviceId: ticket.device?.id }, () =>
    parts.signIn.submitPassword(flow, { login, password, start, finish: true, ...deviceOf(ticket) }, meta),
  );
  return settle(parts, flow, result);
}

/** The second door. */
export async function trySecondFactor(
  parts: DirectParts,
  { use, client, ticket, meta }: DirectVisit,
  shown: Shown,
): Promise<Progress> {
  const { signIn } = parts;
  const flow = flowOf(use, client.id, ticket);
  const submit = (): Promise<SubmitResult> => {
    if (shown.method === 'passkey') return signIn.submitPasskey(flow, { response: shown.response }, meta);
    const { device } = deviceOf(ticket);
    if (shown.method === 'totp') return signIn.submitTotp(flow, shown.code, meta, device);
    if (shown.method === 'email') return signIn.submitEmailCode(flow, shown.code, meta, device);
    return signIn.submitBackupCode(flow, shown.code, meta, device);
  };
  return settle(parts, flow, await submit());
}

/** What a second factor needs before it is shown: a mail on its way, or options for the platform. */
export async function prepareSecondFactor(
  { signIn }: DirectParts,
  { use, client, ticket, meta }: DirectVisit,
  method: 'email' | 'passkey',
): Promise<{ readonly progress: Progress; readonly options?: unknown }> {
  const flow = flowOf(use, client.id, ticket);
  if (method === 'email') {
    const { outcome, view, retryAt } = await signIn.mailSecondStep(flow, false, meta);
    if (outcome === 'limited') return { progress: { kind: 'paused', ...(retryAt !== undefined && { retryAt }) } };
    return { progress: view ? standing(view) : { kind: 'over' } };
  }
  try {
    const options = await signIn.beginPasskey(flow);
    const view = await signIn.view(flow);
    return { progress: view ? standing(view) : { kind: 'over' }, options };
  } catch (error) {
    if (isLost(error)) return { progress: { kind: 'over' } };
    throw error;
  }
}

/** What the app sends the next time, when it asked for that. */
export async function keepDevice(
  { appDevices }: DirectParts,
  { client, ticket, meta }: DirectVisit,
  { accountId }: FinishedSignIn,
): Promise<{ readonly device_token?: string }> {
  if (!ticket.device) return {};
  return { device_token: await appDevices.seen(client.id, ticket.device, accountId, meta) };
}

/**
 * What a complete sign-in is worth: a grant, a session in the person's list, and a code for the tokens of both. Undefined
 * when the account was taken back meanwhile. @throws AppError `conflict` when it has as many sessions as it may have
 */
export async function issueCode(
  { signIn: { recordSuccess }, firstParty, sessions, accessTokenSeconds }: DirectParts,
  { use, client, ticket, meta }: DirectVisit,
  finished: FinishedSignIn,
  codeChallenge: string,
): Promise<string | undefined> {
  const { accountId, amr, acr, authTime, evidence } = finished;
  const signIn: DirectSignIn = { client, accountId, amr, acr, authTime, startedAt: ticket.at, order: ticket.order };
  const grantId = await firstParty.openGrant(signIn);
  if (grantId === undefined) return undefined;
  const refreshes = client.metadata.grant_types.includes('refresh_token');
  const flow = flowOf(use, client.id, ticket);
  const grants = [{ clientId: client.id, grantId }];
  const life = refreshes ? {} : { lifeSeconds: accessTokenSeconds };
  const deviceId = ticket.device && idFor(ticket.device, accountId);
  const request = { accountId, kind: 'api', flow, deviceId, amr, acr, grants, asOf: evidence.asOf, ...life } as const;
  const opened = await sessions.open(request, meta, () => recordSuccess(finished, meta));
  if (opened.outcome !== 'opened') await firstParty.dropGrant(grantId);
  if (opened.outcome === 'ended') return undefined;
  if (opened.outcome === 'refused') {
    throw new AppError(
      'conflict',
      `This account is signed in in ${opened.limit} places, and there may be no more. Sign out in one of them first.`,
    );
  }
  const code = await firstParty.issueCode(signIn, { grantId, sessionId: opened.id, codeChallenge });
  if (code === undefined) await sessions.end(opened.id, { kind: 'system' }, 'ended', { meta });
  return code;
}
