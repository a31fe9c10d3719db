import { createServer, type Server } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { expect } from 'chai';
import { createGuardedPost, createNetworkGuard, withinTime } from '../../src/outgoing/index.ts';

const variable = 'SALLYPORT_SOME_NETWORKS';
const signal = new AbortController().signal;
const headers = { 'content-type': 'text/plain' };

describe('the way out to addresses that somebody typed', () => {
  let server: Server;
  let port: number;
  const got: string[] = [];
  let status = 200;

  before(async () => {
    server = createServer((req, res) => {
      let body = '';
      req.on('data', (chunk) => {
        body += chunk;
      });
      req.on('end', () => {
        got.push(`${req.method} ${req.url} ${req.headers['content-type']} ${body}`);
        if (req.url === '/never') return;
        res.writeHead(status, { location: '/elsewhere' });
        // An answer that does not end must not keep anybody.
        res.write('x');
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });
  beforeEach(() => {
    got.length = 0;
    status = 200;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const open = createGuardedPost({
    guard: createNetworkGuard({ variable, networks: [], anywhere: true }),
    seconds: 0.3,
  });
  const closed = (networks: string[] = [], addresses: string[] = ['127.0.0.1']) =>
    createGuardedPost({
      guard: createNetworkGuard({ variable, networks, anywhere: false }),
      seconds: 0.3,
      resolve: (_name, answer) =>
        answer(
          null,
          addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
        ),
    });

  it('posts what it is given and goes by the status alone', async () => {
    expect(await open(`http://127.0.0.1:${port}/logout?app=1`, headers, 'a.b.c')).to.deep.equal({ status: 200 });
    expect(got).to.deep.equal(['POST /logout?app=1 text/plain a.b.c']);
  });

  it('follows no redirect', async () => {
    status = 302;
    expect(await open(`http://127.0.0.1:${port}/logout`, headers, 't', signal)).to.deep.equal({ status: 302 });
    expect(got).to.have.length(1);
  });

  it('waits for so long and no longer, and stops when it is told to', async () => {
    const late = await open(`http://127.0.0.1:${port}/never`, headers, 't', signal);
    expect(late).to.deep.include({ error: 'There was no answer within 0.3 seconds.', refused: false });
    const cut = await open(`http://127.0.0.1:${port}/never`, headers, 't', AbortSignal.abort());
    expect(cut).to.have.property('error');
    const nobody = await open('http://127.0.0.1:1/', headers, 't', signal);
    expect(nobody).to.have.property('refused', false);
  });

  it('settles whatever the other end makes of the protocol', async () => {
    const lines = (...text: string[]) => `${text.join('\r\n')}\r\n\r\n`;
    const upgrade = lines('HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', 'Upgrade: websocket');
    const answers: Record<string, string> = {
      [upgrade]: '101',
      [lines('HTTP/1.1 101 Switching Protocols')]: '101',
      [lines('HTTP/1.1 103 Early Hints') + upgrade]: '101',
      [lines('HTTP/1.1 100 Continue')]: 'There was no answer within 0.3 seconds.',
      [`${lines('HTTP/1.1 103 Early Hints', 'Link: </a>')}${lines('HTTP/1.1 204 No Content')}`]: '204',
      'SSH-2.0-x\r\n': 'Parse Error: Expected HTTP/, RTSP/ or ICE/',
    };
    for (const [answer, expected] of Object.entries(answers)) {
      await using other = createSocketServer((socket) => {
        socket.on('error', () => undefined).once('data', () => socket.write(answer));
      });
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      const result = await Promise.race([
        open(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`, headers, 't', signal),
        new Promise<void>((resolve) => setTimeout(resolve, 2000)),
      ]);
      const said = result && ('status' in result ? String(result.status) : result.error);
      expect(said, answer).to.equal(expected);
    }
  });

  it('leaves behind what heeds neither its limit nor the end', async () => {
    const stuck = new Promise<string>(() => undefined);
    expect(await withinTime(stuck, { seconds: 0.01 }, () => 'late')).to.equal('late');
    expect(await withinTime(stuck, { seconds: 60, cut: AbortSignal.timeout(10) }, () => 'cut')).to.equal('cut');
    expect(await withinTime(stuck, { seconds: 60, cut: AbortSignal.abort() }, () => 'cut')).to.equal('cut');
    expect(await withinTime(Promise.resolve('done'), { seconds: 60, cut: signal }, () => 'late')).to.equal('done');
    const failed = withinTime(Promise.reject(new Error('no')), { seconds: 60 }, () => 'late');
    expect(await failed.catch((error: Error) => error.message)).to.equal('no');
  });

  it('reaches no address that is not public, however it is written or looked up', async () => {
    for (const url of [
      `http://127.0.0.1:${port}/`,
      `http://[::1]:${port}/`,
      `http://[::ffff:127.0.0.1]:${port}/`,
      `http://2130706433:${port}/`,
      `http://0x7f.1:${port}/`,
      `http://0:${port}/`,
      'http://169.254.169.254/latest/meta-data',
      'https://10.0.0.1/',
      'https://[fd00::1]/',
    ]) {
      expect(await closed()(url, headers, 't', signal), url).to.have.property('refused', true);
    }
    for (const address of ['127.0.0.1', '10.1.2.3', '192.168.0.9', '169.254.169.254', '::1', 'fd00:ec2::254']) {
      expect(
        await closed([], [address])(`http://app.example:${port}/`, headers, 't', signal),
        address,
      ).to.have.property('refused', true);
    }
    expect(await closed()('https://10.0.0.1/', headers, 't', signal)).to.deep.equal({
      error: `The address is not public, and ${variable} does not name it.`,
      refused: true,
    });
    expect(await open('nowhere', headers, 't', signal)).to.have.property('refused', true);
    expect(got).to.deep.equal([]);
  });

  it('reaches what the operator named, and of several addresses an allowed one', async () => {
    const some = closed(['127.0.0.0/8'], ['10.0.0.1', '127.0.0.1']);
    expect(await some(`http://app.example:${port}/`, headers, 't', signal)).to.deep.equal({ status: 200 });
    expect(await closed(['127.0.0.1'])(`http://127.0.0.1:${port}/`, headers, 't', signal)).to.deep.equal({
      status: 200,
    });
  });
});
