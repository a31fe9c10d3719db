import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { callServer } from '../cli/control-client.ts';
import type { Config } from '../config/load.ts';
import { AppError, codeOf } from '../shared/errors.ts';

/** A port that the server opens, with the variables that choose it. */
interface NeededPort {
  readonly variable: string;
  readonly port: number;
  readonly host: string;
  readonly hostVariable?: string;
}

/** Whether a playground will open: demo data is there, or will be made because nothing else is. */
const willHavePlayground = ({ demo, dataDir, DATABASE_URL }: Config): boolean =>
  // Of a PostgreSQL nobody knows yet whether it has accounts of its own.
  demo &&
  DATABASE_URL === undefined &&
  (existsSync(join(dataDir, 'demo.json')) || !existsSync(join(dataDir, 'database')));

function neededPorts(config: Config): NeededPort[] {
  const { SALLYPORT_MANAGEMENT_PORT, SALLYPORT_MANAGEMENT_HOST, SALLYPORT_GRPC_PORT, SALLYPORT_GRPC_HOST } = config;
  const playground = { variable: 'SALLYPORT_PLAYGROUND_PORT', port: config.SALLYPORT_PLAYGROUND_PORT };
  const rpc = SALLYPORT_GRPC_PORT !== undefined && {
    variable: 'SALLYPORT_GRPC_PORT',
    port: SALLYPORT_GRPC_PORT,
    host: SALLYPORT_GRPC_HOST,
    hostVariable: 'SALLYPORT_GRPC_HOST',
  };
  return [
    { variable: 'PORT', port: config.PORT, host: config.host, hostVariable: 'HOST' },
    {
      variable: 'SALLYPORT_MANAGEMENT_PORT',
      port: SALLYPORT_MANAGEMENT_PORT,
      host: SALLYPORT_MANAGEMENT_HOST,
      hostVariable: 'SALLYPORT_MANAGEMENT_HOST',
    },
    ...(rpc ? [rpc] : []),
    ...(config.demo ? [{ ...playground, host: '127.0.0.1' }] : []),
  ];
}

/** Opens a port for a moment. The system's error when that is not possible. */
const tryPort = ({ port, host }: Pick<NeededPort, 'port' | 'host'>): Promise<Server | Error> =>
  new Promise((resolve) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', resolve).listen(port, host, () => resolve(server));
  });

/** What keeps a port from being opened. */
interface Obstacle {
  readonly needed: NeededPort;
  readonly code: string;
  /** Another variable that has the same port. */
  readonly other?: string;
}

function sentenceOf({ needed: { variable, port, host, hostVariable }, code, other }: Obstacle): string {
  if (other !== undefined) return `${variable}: ${port} is ${other} already.`;
  if (code === 'EADDRINUSE') return `${variable}: another program listens on ${host}:${port}.`;
  if (code === 'EACCES') return `${variable}: this user may not listen on ${host}:${port}. Take one above 1023.`;
  return `${hostVariable ?? variable}: this machine cannot listen on ${host} (${code}).`;
}

/** A port near it that is free now and none of these. */
async function freeNear({ port, host }: NeededPort, others: ReadonlySet<number>): Promise<number | undefined> {
  for (let next = (port % 60_000) + 1_000; next < 65_536; next += 1) {
    if (others.has(next)) continue;
    const found = await tryPort({ port: next, host });
    if (!(found instanceof Error)) {
      await new Promise((resolve) => found.close(resolve));
      return next;
    }
    if (codeOf(found) !== 'EADDRINUSE' && codeOf(found) !== 'EACCES') return next;
  }
  return undefined;
}

async function refusal(obstacles: readonly Obstacle[], config: Config): Promise<AppError> {
  const isTaken = ({ code }: Obstacle): boolean => code === 'EADDRINUSE' || code === 'EACCES';
  const others: string[] = [];
  const spoken = new Set(neededPorts(config).map(({ port }) => port));
  for (const { needed } of obstacles.filter(isTaken)) {
    const port = await freeNear(needed, spoken);
    if (port === undefined) continue;
    spoken.add(port);
    others.push(`${needed.variable}=${port}`);
  }
  const command = config.production ? '' : ' npm start';
  const fix = others.length > 0 ? `\nGive another port, for example: ${others.join(' ')}${command}` : '';
  return new AppError(
    'conflict',
    `The server cannot open its ports.\n${obstacles.map((one) => `  - ${sentenceOf(one)}`).join('\n')}${fix}`,
  );
}

/**
 * Looks whether the ports are free that the server will open, before anything is made for it.
 * @throws AppError `conflict` with each that is not, its variable, and what to give in its place
 */
export async function assertPortsFree(config: Config): Promise<void> {
  const tried: (readonly [NeededPort, Server | Error])[] = [];
  const playground = willHavePlayground(config);
  const needed = neededPorts(config).filter(({ variable }) => playground || variable !== 'SALLYPORT_PLAYGROUND_PORT');
  // One after the other, each kept open: two variables with one port are found as well.
  for (const one of needed) tried.push([one, await tryPort(one)]);
  const open = tried.flatMap(([one, result]) => (result instanceof Error ? [] : [{ ...one, server: result }]));
  await Promise.all(open.map(({ server }) => new Promise((resolve) => server.close(resolve))));
  const obstacles = tried.flatMap(([one, result]): Obstacle[] => {
    if (!(result instanceof Error)) return [];
    const code = codeOf(result);
    const taken = code === 'EADDRINUSE' && one.port !== 0;
    const other = taken ? open.find(({ port }) => port === one.port)?.variable : undefined;
    return [{ needed: one, code, ...(other !== undefined && { other }) }];
  });
  if (obstacles.length === 0) return;
  // A server that has this very directory is no reason to take other ports; whoever opens the directory says so.
  const own = config.DATABASE_URL === undefined && (await callServer(config.dataDir, { command: 'ping', input: {} }));
  if (!own) throw await refusal(obstacles, config);
}

/** The error of a port that was taken meanwhile, with its variable; any other error as it was. */
export async function withVariable(error: unknown, config: Config): Promise<unknown> {
  const port = error instanceof Error && 'port' in error ? error.port : undefined;
  const needed = neededPorts(config).find((one) => one.port === port);
  return needed ? refusal([{ needed, code: codeOf(error) }], config) : error;
}
