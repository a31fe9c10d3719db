import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly id: string;
  readonly timestamp: string;
  readonly signatures: readonly string[];
  readonly body: string;
}

async function readAll(req: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of req.setEncoding('utf8')) text += chunk;
  return text;
}

/** Somebody else's program that takes webhooks. */
export class Receiver {
  readonly received: Received[] = [];
  /** Status of the next answers, or what to do with a request in its place. */
  answer: number | ((id: string) => number | Promise<number>) = 204;
  headers: Record<string, string> = {};
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<Receiver> {
    const server = createServer();
    const receiver = new Receiver(server);
    server.on('request', async (req, res) => {
      const header = (name: string): string => String(req.headers[name] ?? '');
      const id = header('webhook-id');
      const body = await readAll(req);
      const signatures = header('webhook-signature').split(' ');
      receiver.received.push({ id, timestamp: header('webhook-timestamp'), signatures, body });
      const { answer } = receiver;
      res.writeHead(typeof answer === 'number' ? answer : await answer(id), receiver.headers).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return receiver;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/hook`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Whether one of the signatures is good: Standard Webhooks by Web Crypto, apart from the server's own code. */
export async function isGenuine(message: Received, secret: string): Promise<boolean> {
  const raw = Uint8Array.from(atob(secret.slice('whsec_'.length)), (char) => char.charCodeAt(0));
  const key = await crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['verify']);
  const signed = new TextEncoder().encode(`${message.id}.${message.timestamp}.${message.body}`);
  for (const signature of message.signatures) {
    const [version, base64 = ''] = signature.split(',');
    const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
    if (version === 'v1' && (await crypto.subtle.verify('HMAC', key, bytes, signed))) return true;
  }
  return false;
}
