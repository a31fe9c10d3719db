import type { KoaContextWithOIDC, Provider } from 'oidc-provider';
import type { AuditEvent } from '../audit/index.ts';
import { asAccountId, asClientId } from '../shared/ids.ts';
import type { Logger } from '../shared/logger.ts';
import { atTheEnd, currentUnitOfWork } from '../storage/unit-of-work.ts';
import { currentMisuse } from './artifact-refresh.ts';
import { noteSessionBehind } from './audit-session.ts';
import type { OidcDomains } from './domains.ts';

/** What metrics want to know of the protocol; no person and no token in it. */
export interface ProtocolMeter {
  tokenIssued(grantType: string, format: 'jwt' | 'opaque'): void;
  introspected(active: boolean): void;
}

const where = (ctx: KoaContextWithOIDC): Pick<AuditEvent, 'ip' | 'userAgent' | 'requestId'> => ({
  ...(typeof ctx.state?.ip === 'string' && { ip: ctx.state.ip }),
  ...(ctx.get('user-agent') !== '' && { userAgent: ctx.get('user-agent') }),
  ...(typeof ctx.state?.requestId === 'string' && { requestId: ctx.state.requestId }),
});

/** Turns the library's events into audit rows and metrics. Rows settle with the request that caused them. */
export function attachEvents(provider: Provider, domains: OidcDomains, meter: ProtocolMeter, logger: Logger): void {
  const enlist = (work: () => Promise<void>, what: string): void =>
    atTheEnd(work, (error) => logger.error({ err: error }, `${what} could not be written`));
  const record = (event: AuditEvent): void =>
    enlist(() => domains.audit.record(event), `an audit row of ${event.type}`);
  const noteSession = (ctx: KoaContextWithOIDC): void =>
    enlist(() => noteSessionBehind(ctx, domains.sessions), 'the session of an audit row');

  const endGrant = (ctx: KoaContextWithOIDC, grantId: string): void => {
    const expiresAt = (currentUnitOfWork()?.startedAt ?? Date.now()) + 90 * 86_400_000;
    const by = ctx.oidc.client
      ? ({ kind: 'client', id: ctx.oidc.client.clientId } as const)
      : ({ kind: 'system' } as const);
    const reason = `ended at ${ctx.oidc.route}`;
    noteSession(ctx);
    enlist(() => domains.revocations.revoke({ kind: 'grant', id: grantId, expiresAt, reason, by }), 'a revocation');
  };

  provider.on('grant.success', (ctx) => {
    const { client, entities, params } = ctx.oidc;
    const token = entities.AccessToken ?? entities.ClientCredentials;
    const grantType = String(params?.grant_type ?? 'unknown');
    meter.tokenIssued(grantType, token?.format === 'jwt' ? 'jwt' : 'opaque');
    const accountId = entities.AccessToken?.accountId;
    if (client && accountId && (client as { first_party?: boolean }).first_party !== true) {
      enlist(() => domains.consents.noteUse(asAccountId(accountId), asClientId(client.clientId)), 'the use of an app');
    }
    // One row for each sign-in to an app; refreshes and machine tokens are counted, not listed.
    if (grantType !== 'authorization_code' || !client) return;
    record({
      type: 'token.issued',
      actor: { kind: 'client', id: client.clientId },
      outcome: 'success',
      clientId: client.clientId,
      ...(entities.AccessToken?.accountId && { subject: entities.AccessToken.accountId }),
      details: { scope: entities.AccessToken?.scope ?? '' },
      ...where(ctx),
    });
  });

  provider.on('grant.error', (ctx, error) => {
    const misuse = currentMisuse();
    if (misuse?.revoked && misuse.grantId !== undefined) endGrant(ctx, misuse.grantId);
    const detail = error.error_detail ?? '';
    const reused = detail === 'refresh token already used' || /already consumed/.test(detail);
    if (!reused && !misuse?.late) return;
    const { RefreshToken, AuthorizationCode } = ctx.oidc.entities;
    const accountId = RefreshToken?.accountId ?? AuthorizationCode?.accountId;
    noteSession(ctx);
    record({
      type: 'token.reuse_detected',
      actor: ctx.oidc.client ? { kind: 'client', id: ctx.oidc.client.clientId } : { kind: 'stranger' },
      outcome: 'failure',
      ...(accountId && { subject: accountId }),
      ...(ctx.oidc.client && { clientId: ctx.oidc.client.clientId }),
      ...where(ctx),
    });
  });

  provider.on('grant.revoked', endGrant);

  provider.on('server_error', (ctx, error) => {
    logger.error(
      { err: error, route: ctx.oidc?.route, requestId: ctx.state?.requestId },
      'the protocol endpoint failed',
    );
  });
}
