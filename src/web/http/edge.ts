import type Koa from 'koa';
import type { Clock } from '../../shared/clock.ts';
import type { Logger } from '../../shared/logger.ts';
import { createAccessLog, type Observation } from './access-log.ts';
import { arrivedFailing } from './arrival.ts';
import { createBodyGuard } from './body-guard.ts';
import { createClientAddress } from './client-address.ts';
import { createErrorHandler, type RenderErrorPage } from './error-handler.ts';
import { createHostGuard, pinToIssuer } from './host-guard.ts';
import { inputGuard } from './input-guard.ts';
import { methodGuard } from './method-guard.ts';
import { createRequestId } from './request-id.ts';
import { createSecurityHeaders } from './security-headers.ts';

export interface EdgeOptions {
  readonly issuer: string;
  readonly trustedProxies: readonly string[];
  /** Seconds that anybody may cache the JWKS and the discovery document. */
  readonly metadataMaxAge: number;
  /** Whether apps may run the sign-in in a popup; see {@link createSecurityHeaders}. */
  readonly popups: boolean;
  /** Longest request body, bytes. */
  readonly bodyLimit: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where finished requests are written. */
  readonly access: Logger;
  readonly renderErrorPage: RenderErrorPage;
  readonly observe?: (observation: Observation) => void;
}

/**
 * Puts everything between the socket and the routes onto `app`, in the one order that works: who asks, the log and
 * the headers see every answer; the error handler sees every failure; nothing acts before the body and Host are sound.
 */
export function useEdge(app: Koa, options: EdgeOptions): void {
  pinToIssuer(app, options.issuer);
  app.use(createClientAddress(options));
  app.use(createRequestId(options));
  app.use(createAccessLog({ ...options, logger: options.access }));
  app.use(createSecurityHeaders(options));
  app.use(createErrorHandler(options));
  app.use(createBodyGuard({ limitBytes: options.bodyLimit }));
  app.use(createHostGuard(options));
  app.use(inputGuard);
  app.use(methodGuard);
  app.use(arrivedFailing);
  // What Koa itself cannot send, for example to a client that left while the answer was streamed.
  app.on('error', (error: unknown) => options.logger.warn({ err: error }, 'answer could not be sent'));
}
