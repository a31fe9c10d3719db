import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface ReceivedText {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** An SMS gateway on loopback that takes texts, or answers as the test wants. */
export class GatewayStub implements AsyncDisposable {
  readonly received: ReceivedText[] = [];
  answer: (response: ServerResponse, text: ReceivedText) => unknown = (response) => response.end('{}');
  readonly #server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const { method = '', url: path = '', headers } = request;
    const text = { method, path, headers, body };
    this.received.push(text);
    await this.answer(response, text);
  });

  static async start(): Promise<GatewayStub> {
    const stub = new GatewayStub();
    await new Promise<void>((resolve) => stub.#server.listen(0, '127.0.0.1', resolve));
    return stub;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/sms?account=7`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
