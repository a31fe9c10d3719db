import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { expect } from 'chai';
import { createGuardedGet, createNetworkGuard } from '../../src/outgoing/index.ts';

const longest = 1000;

describe('documents at addresses that somebody typed', () => {
  let server: Server;
  let root: string;
  let connections = 0;
  let answer: RequestListener;

  before(async () => {
    server = createServer((req, res) => answer(req, res)).on('connection', () => {
      connections += 1;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    root = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  });
  beforeEach(() => {
    connections = 0;
    answer = (_req, res) => res.end('{}');
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const open = createGuardedGet({ guard: createNetworkGuard({ networks: [], anywhere: true }), seconds: 0.3, longest });
  const closed = (address: string) =>
    createGuardedGet({
      guard: createNetworkGuard({ networks: [], anywhere: false }),
      seconds: 0.3,
      longest,
      resolve: (_name, found) => found(null, [{ address, family: address.includes(':') ? 6 : 4 }]),
    });
  const failure = (work: Promise<unknown>) =>
    work.then(
      () => 'no failure',
      (error: Error) => error.message,
    );

  it('are read with what their headers say', async () => {
    answer = (req, res) => {
      expect(req.headers).to.include({ accept: 'application/json', 'accept-encoding': 'identity' });
      res.writeHead(200, { 'cache-control': 'max-age=90' }).end('{"keys":[]}');
    };
    const { headers, body } = await open(root, {});
    expect(headers['cache-control']).to.equal('max-age=90');
    expect(body.toString()).to.equal('{"keys":[]}');
  });

  it('are short, as they are sent and as they would become', async () => {
    answer = (_req, res) => res.writeHead(200, { 'content-length': longest + 1 }).end('x'.repeat(longest + 1));
    expect(await failure(open(root, {}))).to.equal('The answer is too long.');
    answer = (_req, res) => {
      // In pieces and without an end.
      const timer = setInterval(() => res.write('x'.repeat(300)), 5);
      res.on('close', () => clearInterval(timer));
    };
    expect(await failure(open(root, {}))).to.equal('The answer is too long.');
    const bomb = gzipSync(Buffer.alloc(100_000));
    expect(bomb.length).to.be.below(longest);
    answer = (_req, res) => res.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb);
    expect(await failure(open(root, {}))).to.equal('The answer is compressed.');
  });

  it('come in time or not at all', async () => {
    answer = () => undefined;
    expect(await failure(open(root, {}))).to.equal('There was no answer within 0.3 seconds.');
    answer = (_req, res) => {
      const timer = setInterval(() => res.write(' '), 20);
      res.on('close', () => clearInterval(timer));
    };
    expect(await failure(open(root, {}))).to.equal('There was no answer within 0.3 seconds.');
    answer = (_req, res) => {
      res.writeHead(200, { 'content-length': 5 }).write('ab');
      setTimeout(() => res.destroy(), 20);
    };
    expect(await failure(open(root, {}))).to.not.equal('no failure');
    await using other = createSocketServer((socket) => {
      const upgrade = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n';
      socket.on('error', () => undefined).once('data', () => socket.write(upgrade));
    });
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as AddressInfo;
    expect(await failure(open(`http://127.0.0.1:${port}/`, {}))).to.equal('The answer was 101.');
  });

  it('are answers of status 200, after three redirects at most', async () => {
    answer = (_req, res) => res.writeHead(404).end();
    expect(await failure(open(root, {}))).to.equal('The answer was 404.');
    answer = (req, res) => {
      const left = Number(req.url?.slice(1));
      if (left > 0) res.writeHead(302, { location: `/${left - 1}` });
      res.end('{}');
    };
    expect((await open(`${root}3`, {})).body.toString()).to.equal('{}');
    expect(await failure(open(`${root}4`, {}))).to.equal('There are too many redirects.');
  });

  it('are at public addresses: nothing connects to another one, also after a redirect', async () => {
    const { port } = new URL(root);
    const no = 'The address is not public.';
    expect(await failure(closed('127.0.0.1')(`http://keys.example:${port}/`, {}))).to.equal(no);
    expect(await failure(closed('::1')(`http://keys.example:${port}/`, {}))).to.equal(no);
    for (const host of ['127.0.0.1', '2130706433', '[::ffff:127.0.0.1]', '[::1]', '169.254.169.254']) {
      expect(await failure(closed('127.0.0.1')(`http://${host}:${port}/`, {})), host).to.equal(no);
    }
    expect(connections).to.equal(0);
    // Only this address may be asked, and it leads to another.
    const one = createNetworkGuard({ networks: ['127.0.0.1'], anywhere: false });
    const get = createGuardedGet({ guard: one, seconds: 0.3, longest });
    answer = (_req, res) => res.writeHead(302, { location: 'http://127.0.0.2/' }).end();
    expect(await failure(get(root, {}))).to.equal(no);
  });
});
