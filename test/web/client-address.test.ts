import { expect } from 'chai';
import { canonicalAddress, createClientAddress } from '../../src/web/http/client-address.ts';
import { type EdgeApp, startEdge } from './edge-app.ts';

async function factsWith(edge: EdgeApp, headers: Record<string, string>) {
  const answer = await fetch(`${edge.url}/facts`, { headers });
  return (await answer.json()) as { ip: string; requestId: string; state: { clientProtocol: string } };
}

describe('client address', () => {
  it('reads addresses in every spelling that proxies use and nothing else', () => {
    const same = [
      '203.0.113.9',
      ' 203.0.113.9 ',
      '203.0.113.9:4711',
      '"203.0.113.9"',
      '::ffff:203.0.113.9',
      '[::FFFF:cb00:7109]:80',
    ];
    for (const text of same) expect(canonicalAddress(text), text).to.equal('203.0.113.9');
    for (const text of [
      '2001:db8::1',
      '2001:0DB8:0:0::0001',
      '[2001:db8::1]',
      '"[2001:db8::1]:443"',
      '2001:db8::1%eth0',
    ]) {
      expect(canonicalAddress(text), text).to.equal('2001:db8::1');
    }
    for (const text of [
      '',
      'unknown',
      '_hidden',
      '1.2.3',
      '1.2.3.4.5',
      '::g',
      '[',
      '[]',
      '"',
      '1.2.3.4:',
      '127.1',
      '0x7f.1',
      '010.0.0.1',
      '1'.repeat(70),
    ]) {
      expect(canonicalAddress(text), text).to.equal(undefined);
    }
  });

  it('refuses to start with a range it does not understand', () => {
    for (const entry of ['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/x', 'proxy.internal', '10.0.0.0/8/8', '::1/129', '']) {
      expect(() => createClientAddress({ trustedProxies: [entry] }), entry).to.throw(RangeError, entry);
    }
  });

  it('trusts nobody by default', async () => {
    await using edge = await startEdge();
    const facts = await factsWith(edge, {
      'X-Forwarded-For': '198.51.100.7',
      'X-Forwarded-Proto': 'https',
      'X-Real-IP': '198.51.100.7',
      Forwarded: 'for=198.51.100.7;proto=https',
      'X-Request-Id': 'req_chosen_by_me',
    });
    expect(facts.ip).to.equal('127.0.0.1');
    expect(facts.state.clientProtocol).to.equal('http');
    expect(facts.requestId).to.match(/^req_[0-9a-z]{16}$/);
  });

  it('walks from the right over trusted proxies and stops at the first stranger', async () => {
    await using edge = await startEdge({ trustedProxies: ['127.0.0.0/8', '10.0.0.0/8', '2001:db8:ffff::/48'] });
    const cases: [string, string][] = [
      ['203.0.113.9', '203.0.113.9'],
      ['6.6.6.6, 203.0.113.9', '203.0.113.9'],
      ['6.6.6.6, 203.0.113.9, 10.1.2.3', '203.0.113.9'],
      ['203.0.113.9:5050, 10.1.2.3:80', '203.0.113.9'],
      ['2001:db8::5, [2001:db8:ffff::1]:443', '2001:db8::5'],
      ['203.0.113.9, ::ffff:10.1.2.3', '203.0.113.9'],
      ['10.9.9.9, 10.1.2.3', '10.9.9.9'],
      ['203.0.113.9, garbage, 10.1.2.3', '10.1.2.3'],
      ['203.0.113.9, ', '127.0.0.1'],
      ['', '127.0.0.1'],
      [`${'a,'.repeat(3000)}b`, '127.0.0.1'],
    ];
    for (const [header, ip] of cases) {
      expect((await factsWith(edge, { 'X-Forwarded-For': header })).ip, header.slice(0, 40)).to.equal(ip);
    }
  });

  it('takes scheme and request id from a trusted proxy', async () => {
    await using edge = await startEdge({ trustedProxies: ['127.0.0.1'] });
    const facts = await factsWith(edge, { 'X-Forwarded-Proto': 'http, https', 'X-Request-Id': 'edge-4711.abc' });
    expect(facts.state.clientProtocol).to.equal('https');
    expect(facts.requestId).to.equal('edge-4711.abc');
    for (const bad of ['short', 'x'.repeat(65), 'has space in it', '<script>1234']) {
      expect((await factsWith(edge, { 'X-Request-Id': bad })).requestId, bad).to.match(/^req_/);
    }
  });
});
