import { connect } from 'node:net';
function parseOne(text, head) {
    const end = text.indexOf('\r\n\r\n');
    if (end < 0)
        return undefined;
    const [statusLine = '', ...lines] = text.slice(0, end).split('\r\n');
    const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
    const status = Number(statusLine.split(' ')[1]);
    const length = head ? 0 : Number(headers.get('content-length') ?? 0);
    const rest = text.slice(end + 4);
    if (status === 100)
        return { answer: { status, headers, body: '' }, rest };
    if (rest.length < length)
        return undefined;
    return { answer: { status, headers, body: rest.slice(0, length) }, rest: rest.slice(length) };
}
/**
 * Sends bytes as they are and reads until `expected` answers came or the server closed the connection.
 * Rejects when neither happens within `patience` milliseconds: then the connection hangs.
 */
export function exchange(port, pieces, { expected = 1, patience = 5000 } = {}) {
    return new Promise((resolve, reject) => {
        const socket = connect(port, '127.0.0.1');
        const answers = [];
        const head = String(pieces[0]).startsWith('HEAD ');
        let text = '';
        const finish = (closed) => {
            clearTimeout(timer);
            socket.destroy();
            resolve({ answers, closed });
        };
        const timer = setTimeout(() => {
            socket.destroy();
            reject(new Error(`The connection hangs after ${answers.length} answers; pending: ${JSON.stringify(text)}`));
        }, patience);
        socket.setEncoding('latin1');
        socket.on('data', (chunk) => {
            text += chunk;
            for (let parsed = parseOne(text, head); parsed; parsed = parseOne(text, head)) {
                answers.push(parsed.answer);
                text = parsed.rest;
            }
            if (answers.length >= expected && answers.at(-1)?.headers.get('connection') !== 'close')
                finish(false);
        });
        socket.on('error', () => finish(true));
        socket.on('close', () => finish(true));
        for (const piece of pieces)
            socket.write(piece);
    });
}
/** Frames data as one chunk of a chunked body. */
export const chunk = (data) => `${Buffer.byteLength(data).toString(16)}\r\n${data}\r\n`;
