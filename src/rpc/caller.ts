import type { ServerUnaryCall } from '@grpc/grpc-js';
import type { Client } from '../clients/index.ts';
import { judgeToken, type RefusalLimit, type TokenFacts } from '../forward-auth/index.ts';
import { AppError } from '../shared/errors.ts';

interface Needs {
  readonly clients: {
    find(id: string): Promise<Client | undefined>;
    verifySecret(id: string, secret: string): Promise<boolean>;
  };
  /** Introspection with the rights of the server. */
  readonly askAsServer: (token: string) => Promise<TokenFacts>;
  /** Bounds guesses by the address of the peer. */
  readonly refusals: RefusalLimit;
  /** What an access token of a caller has to be issued for: a token for another API is no key to this one. */
  readonly audience: string;
  /** Seconds since the epoch. */
  readonly now: () => number;
}

type Call = Pick<ServerUnaryCall<unknown, unknown>, 'metadata' | 'getAuthContext' | 'getPeer'>;

/** The address of the other end of a connection, without its port. */
export const ipOf = (peer: string): string =>
  /^(?:\[(.+)\]|(.+?))(?::\d+)?$/.exec(peer)?.slice(1).find(Boolean) ?? peer;

/**
 * Finds out which client calls. @throws AppError `unauthenticated` when none has proven itself, and `rate_limited` when
 * too many from there have not.
 */
export type Authenticate = (call: Call) => Promise<Client>;

const refusal = (): AppError =>
  new AppError('unauthenticated', 'Give client credentials or an access token of a client in authorization.');

/** RFC 6749 §2.3.1: both parts are form-encoded before they are joined. */
function basic(value: string): { id: string; secret: string } | undefined {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(value)?.[1];
  const text = encoded === undefined ? '' : Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon < 1 || text.includes('\0')) return undefined;
  try {
    const [id, secret] = [text.slice(0, colon), text.slice(colon + 1)].map((part) =>
      decodeURIComponent(part.replaceAll('+', '%20')),
    );
    return id && secret && !id.includes('\0') ? { id, secret } : undefined;
  } catch {
    return undefined;
  }
}

/** The client of a program's own token; one that stands for a person is not the program's to show here. */
async function clientOfToken({ askAsServer, audience, now }: Needs, token: string): Promise<string | undefined> {
  const facts = await askAsServer(token);
  const wanted = { audience, scopes: [], permissions: [] };
  if (judgeToken(facts, wanted, now()).length > 0 || facts.sub !== facts.client_id) return undefined;
  return typeof facts.client_id === 'string' ? facts.client_id : undefined;
}

async function byMetadata(needs: Needs, value: string): Promise<string | undefined> {
  const token = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i.exec(value)?.[1];
  if (token !== undefined) return clientOfToken(needs, token);
  const given = basic(value);
  return given && (await needs.clients.verifySecret(given.id, given.secret)) ? given.id : undefined;
}

/** The common name of a certificate that the authorities of SALLYPORT_GRPC_TLS_CLIENT_CA vouch for. */
function byCertificate(call: Call): string | undefined {
  const name = call.getAuthContext().sslPeerCertificate?.subject?.CN;
  return typeof name === 'string' && name !== '' ? name : undefined;
}

/** Makes it. Metadata goes before the certificate of the connection, which may be a mesh's. */
export const createAuthenticate = (needs: Needs): Authenticate => {
  const live = async (id: string | undefined): Promise<Client | undefined> => {
    const client = id === undefined ? undefined : await needs.clients.find(id);
    return client?.disabled ? undefined : client;
  };
  const byShown = (call: Call, credential: string): Promise<Client | undefined> =>
    needs.refusals.ask(
      { by: 'peers', address: ipOf(call.getPeer()), credential },
      async () => live(await byMetadata(needs, credential)),
      (client) => client !== undefined,
    );
  return async (call) => {
    const [value, ...more] = call.metadata.get('authorization');
    if (more.length > 0) throw refusal();
    const client = value === undefined ? await live(byCertificate(call)) : await byShown(call, String(value));
    if (!client) throw refusal();
    return client;
  };
};
