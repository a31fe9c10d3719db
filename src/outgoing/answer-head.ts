import type { ClientRequest, IncomingMessage } from 'node:http';

/**
 * Sends a request and waits for the head of its answer; settles once, however the other end behaves.
 * @throws Error that says why there is none
 */
export function answerHead(outgoing: ClientRequest, body?: string): Promise<IncomingMessage> {
  return new Promise((settle, fail) => {
    outgoing.on('response', settle);
    // Nobody asked for another protocol. Without a listener Node drops the request and tells nobody.
    outgoing.on('upgrade', (answer, socket) => {
      socket.on('error', () => undefined).destroy();
      settle(answer);
    });
    outgoing.on('error', fail);
    // The last event of a request, whatever came before it.
    outgoing.on('close', () => fail(new Error('The connection ended without an answer.')));
    outgoing.end(body);
  });
}
