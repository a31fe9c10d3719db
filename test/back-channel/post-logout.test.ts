import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { createLogoutPost } from '../../src/back-channel/index.ts';
import { createNetworkGuard } from '../../src/webhooks/network-guard.ts';

const signal = new AbortController().signal;

describe('the way out for logout tokens', () => {
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

  const open = createLogoutPost({ guard: createNetworkGuard({ networks: [], anywhere: true }), seconds: 0.3 });
  const closed = (networks: string[] = [], addresses: string[] = ['127.0.0.1']) =>
    createLogoutPost({
      guard: createNetworkGuard({ networks, anywhere: false }),
      seconds: 0.3,
      resolve: (_name, answer) =>
        answer(
          null,
          addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
        ),
    });

  it('posts a form and goes by the status alone', async () => {
    expect(await open(`http://127.0.0.1:${port}/logout?app=1`, 'a.b.c', signal)).to.deep.equal({ status: 200 });
    expect(got).to.deep.equal(['POST /logout?app=1 application/x-www-form-urlencoded logout_token=a.b.c']);
  });

  it('follows no redirect', async () => {
    status = 302;
    expect(await open(`http://127.0.0.1:${port}/logout`, 't', signal)).to.deep.equal({ status: 302 });
    expect(got).to.have.length(1);
  });

  it('waits for so long and no longer, and stops when it is told to', async () => {
    const late = await open(`http://127.0.0.1:${port}/never`, 't', signal);
    expect(late).to.deep.include({ error: 'There was no answer within 0.3 seconds.', final: false });
    const cut = await open(`http://127.0.0.1:${port}/never`, 't', AbortSignal.abort());
    expect(cut).to.have.property('error');
    const nobody = await open('http://127.0.0.1:1/', 't', signal);
    expect(nobody).to.have.property('final', false);
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
      expect(await closed()(url, 't', signal), url).to.have.property('final', true);
    }
    for (const address of ['127.0.0.1', '10.1.2.3', '192.168.0.9', '169.254.169.254', '::1', 'fd00:ec2::254']) {
      expect(await closed([], [address])(`http://app.example:${port}/`, 't', signal), address).to.have.property(
        'final',
        true,
      );
    }
    expect(got).to.deep.equal([]);
  });

  it('reaches what the operator named, and of several addresses an allowed one', async () => {
    const some = closed(['127.0.0.0/8'], ['10.0.0.1', '127.0.0.1']);
    expect(await some(`http://app.example:${port}/`, 't', signal)).to.deep.equal({ status: 200 });
    expect(await closed(['127.0.0.1'])(`http://127.0.0.1:${port}/`, 't', signal)).to.deep.equal({ status: 200 });
  });
});
