import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { reasonOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';

/** One thing that the server leans on. */
export interface ReadinessCheck {
  readonly name: string;
  /** Without a required part the node takes no traffic; without another one it works on, degraded. */
  readonly required: boolean;
  check(): Promise<void>;
}

export interface ManagementOptions {
  readonly checks: readonly ReadinessCheck[];
  readonly registry: Registry;
  readonly isDraining: () => boolean;
  readonly logger: Logger;
}

export interface ManagementServer extends AsyncDisposable {
  readonly port: number;
}

interface Readiness {
  readonly status: 'ok' | 'degraded' | 'failing' | 'draining';
  readonly checks: Readonly<Record<string, 'ok' | 'failing'>>;
}

const patience = 1000;

async function passes({ name, check }: ReadinessCheck, logger: Logger): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${patience} ms`)), patience);
  });
  try {
    await Promise.race([check(), late]);
    return true;
  } catch (error) {
    logger.warn({ check: name, reason: reasonOf(error) }, 'readiness check failed');
    return false;
  } finally {
    clearTimeout(timer);
  }
}

/** Asks every part at once and sums up; at most a second. */
export async function readinessOf({ checks, isDraining, logger }: ManagementOptions): Promise<Readiness> {
  const results = await Promise.all(checks.map(async (check) => ({ ...check, passed: await passes(check, logger) })));
  const answers = Object.fromEntries(results.map(({ name, passed }) => [name, passed ? 'ok' : 'failing'] as const));
  if (isDraining()) return { status: 'draining', checks: answers };
  if (results.some(({ passed, required }) => required && !passed)) return { status: 'failing', checks: answers };
  return { status: results.every(({ passed }) => passed) ? 'ok' : 'degraded', checks: answers };
}

function send(res: ServerResponse, status: number, type: string, body: string): void {
  res.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' });
  res.end(body);
}

async function answer(req: IncomingMessage, res: ServerResponse, options: ManagementOptions): Promise<void> {
  const path = req.url?.split('?')[0];
  if (req.method !== 'GET' && req.method !== 'HEAD') return send(res, 405, 'text/plain', 'GET only\n');
  if (path === '/livez') return send(res, 200, 'application/json', '{"status":"ok"}\n');
  if (path === '/readyz') {
    const readiness = await readinessOf(options);
    const ready = readiness.status === 'ok' || readiness.status === 'degraded';
    return send(res, ready ? 200 : 503, 'application/json', `${JSON.stringify(readiness)}\n`);
  }
  if (path === '/metrics') return send(res, 200, options.registry.contentType, await options.registry.metrics());
  return send(res, 404, 'text/plain', '/livez /readyz /metrics\n');
}

/** Serves health and metrics on a port of its own, which belongs on the private network. */
export async function listenForManagement(
  options: ManagementOptions,
  { port, host }: { readonly port: number; readonly host: string },
): Promise<ManagementServer> {
  const server = createServer((req, res) => {
    answer(req, res, options).catch((error: unknown) => {
      options.logger.error({ err: error }, 'management request failed');
      if (!res.headersSent) send(res, 500, 'text/plain', 'failed\n');
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
