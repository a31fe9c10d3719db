import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { createGuardedPost, createNetworkGuard } from '../../src/outgoing/index.ts';

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
