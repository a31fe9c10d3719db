import { Agent, request } from 'node:http';
/** Keep-alive connections to one server, as many as there are requests at once. */
export const createAgent = (connections) => new Agent({ keepAlive: true, maxSockets: connections, scheduling: 'fifo' });
/** One request, no redirect followed. Rejects when there is no whole answer within ten seconds. */
export function send(agent, url, { method = 'GET', headers = {}, form }) {
    const body = form === undefined ? undefined : new URLSearchParams(form).toString();
    const ofForm = body === undefined
        ? {}
        : { 'content-type': 'application/x-www-form-urlencoded', 'content-length': String(Buffer.byteLength(body)) };
    return new Promise((resolve, reject) => {
        const outgoing = request(url, { agent, method, headers: { ...headers, ...ofForm }, timeout: 10_000 }, (incoming) => {
            const chunks = [];
            incoming.on('data', (chunk) => chunks.push(chunk));
            incoming.on('error', reject);
            incoming.on('end', () => resolve({
                status: incoming.statusCode ?? 0,
                headers: incoming.headers,
                body: Buffer.concat(chunks).toString('utf8'),
            }));
        });
        outgoing.on('timeout', () => outgoing.destroy(new Error('no answer within ten seconds')));
        outgoing.on('error', reject).end(body);
    });
}
/** `Authorization` of a client whose id and secret need no form-encoding. */
export const basic = (id, secret) => `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
