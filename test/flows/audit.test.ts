import { expect } from 'chai';
import { createPerson, type Person } from '../support/people.ts';
import { signIn } from '../support/relying-party.ts';
import { type RunningApp, startApp } from '../support/start-app.ts';
import { expectPage, type Page, WebClient } from '../support/web-client.ts';

const operator = { kind: 'operator' } as const;
const hostile = `"'><script>globalThis.hacked=1</script>`;

describe('the audit log of a running server', () => {
  let server: RunningApp;
  let admin: Person;
  let web: WebClient;

  before(async () => {
    server = await startApp();
    admin = await createPerson(server);
    const { accounts, audit } = server.app.domains;
    await accounts.update(admin.account.id, admin.account.version, { roles: ['admin'] }, operator);
    for (let count = 0; count < 60; count += 1) {
      await audit.record({
        type: 'sign_in.failed',
        actor: { kind: 'stranger' },
        outcome: 'failure',
        subject: count === 0 ? hostile : 'acc_somebody',
        ip: '203.0.113.5',
        requestId: `req_${count}`,
        userAgent: '=cmd()',
        details: { reason: hostile },
      });
    }
    web = new WebClient(server.url, { 'user-agent': 'Admin/1.0' });
    expectPage(await signIn(web, await web.open('/admin/audit'), admin), 'admin-audit');
  });
  after(() => server[Symbol.asyncDispose]());

  const open = async (query: string): Promise<Page> =>
    expectPage(await web.open(`/admin/audit${query}`), 'admin-audit');
  const rowsIn = ({ text }: Page): number => text.match(/<tr role="row"><td/g)?.length ?? 0;

  it('is searched by a form that is only an address', async () => {
    const all = await open('');
    expect(all.text).to.include('href="/admin/audit" aria-current="page"').and.include('Mara Lindgren');
    const found = await open('?q=203.0.113.5&outcome=failure&type=sign_in');
    expect(rowsIn(found)).to.equal(50);
    expect(found.text)
      .to.include('value="203.0.113.5"')
      .and.match(/<option value="sign_in" selected>/);
    expect(found.text).not.to.include('<script>globalThis');
    const older = /href="(\/admin\/audit\?[^"]*after=[^"]+)"/.exec(found.text)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const rest = expectPage(await web.open(older), 'admin-audit');
    expect(rowsIn(rest)).to.equal(10);
    expect(rest.text).to.include('Newest');
    expect(rowsIn(await open('?q=req_7'))).to.equal(1);
    expect(rowsIn(await open(`?q=${encodeURIComponent(admin.account.email)}&type=sign_in.succeeded`))).to.equal(1);
    expect(rowsIn(await open(`?actor=${admin.login}&type=sign_in.succeeded`))).to.equal(1);
    expect(rowsIn(await open(`?q=${encodeURIComponent('</script>')}`))).to.equal(50);
    expect((await open('?q=nothing-like-this')).text).to.include('No event matches.');
  });

  it('takes any address, and says which day is none', async () => {
    expect((await open('?from=2026-99-01&to=x')).text).to.include('“2026-99-01” is not a date.');
    for (const query of [
      '?after=1-evt_x&record=evt_none',
      '?type[]=1&q=a&q=b',
      '?after=9999999999999999',
      '?outcome=maybe',
    ]) {
      expect((await open(query)).status, query).to.equal(200);
    }
    expect(rowsIn(await open('?from=2000-01-01&to=2000-01-02'))).to.equal(0);
  });

  it('shows one event in full', async () => {
    const found = await open('?q=req_7');
    const link = /href="(\/admin\/audit\?[^"]*record=evt_[^"]+)"/.exec(found.text)?.[1]?.replaceAll('&amp;', '&') ?? '';
    const { text } = expectPage(await web.open(link), 'admin-audit');
    expect(text)
      .to.match(/<dt>Request<\/dt><dd><bdi>req_7</)
      .and.match(/<dt>Browser<\/dt><dd><bdi>=cmd\(\)/);
  });

  it('is where an event of the overview leads, with names and ids', async () => {
    const { text: overview } = expectPage(await web.open('/admin'), 'admin-overview');
    const [, id = ''] = /href="\/admin\/audit\?record=(evt_[0-9a-z]+)#record"/.exec(overview) ?? [];
    expect(overview).to.include('<a href="/admin/audit">See the latest events</a>');
    const { text } = expectPage(await web.open(`/admin/audit?record=${id}`), 'admin-audit');
    expect(text).to.include(`<dt>Event</dt><dd><bdi>${id}<`);
    const { id: accountId } = admin.account;
    expect(text).to.match(new RegExp(`<dt>Who</dt><dd><bdi>[^<]+</bdi> <code class="small muted">${accountId}</code>`));
    expect(text).to.match(/<dt>When<\/dt><dd><time [^>]+>[^<]+<\/time> <code class="small muted">20[^<]+Z<\/code>/);
  });

  it('is downloaded as the filter has it, and that is written down', async () => {
    const response = await web.fetch('/admin/audit/export?format=csv&q=203.0.113.5');
    expect(response.status).to.equal(200);
    expect(response.headers.get('content-type')).to.equal('text/csv; charset=utf-8');
    expect(response.headers.get('content-disposition')).to.match(/^attachment; filename="audit-\d{4}-\d\d-\d\d\.csv"$/);
    expect(response.headers.get('cache-control')).to.include('no-store');
    const lines = (await response.text()).split('\r\n');
    expect(lines).to.have.length(62);
    expect(lines[5]).to.include(",'=cmd(),");
    const json = await (await web.fetch('/admin/audit/export?format=jsonl&q=req_7')).text();
    expect(JSON.parse(json)).to.include({ type: 'sign_in.failed', requestId: 'req_7' });
    const [event] = await server.app.domains.audit.list({ type: 'audit.exported', limit: 1 });
    expect(event).to.deep.include({
      actor: { kind: 'account', id: admin.account.id },
      ip: '127.0.0.1',
      userAgent: 'Admin/1.0',
    });
    expect(event?.details).to.deep.equal({ format: 'jsonl', filter: ['requestId'] });
    expect(event?.requestId).to.match(/^req_/);
    expect((await web.fetch('/admin/audit/export?format=xml')).status).to.equal(400);
    expect((await web.fetch('/admin/audit/export?format=csv&from=x')).status).to.equal(400);
    expect((await web.fetch('/admin/audit/export?format=csv', { method: 'HEAD' })).status).to.equal(200);
  });

  it('is nobody else’s to read', async () => {
    const visitor = new WebClient(server.url);
    expectPage(await signIn(visitor, await visitor.open('/admin/audit'), await createPerson(server)), 'denied');
    for (const path of ['/admin/audit', '/admin/audit/export?format=csv', '/ADMIN/Audit/export/?format=csv']) {
      const response = await visitor.fetch(path);
      expect(response.status, path).to.equal(403);
      expect(await response.text()).not.to.include('203.0.113.5');
    }
    const stranger = await new WebClient(server.url).fetch('/admin/audit/export?format=csv');
    expect(stranger.status).to.equal(303);
  });

  it('is sealed by itself, and then holds', async () => {
    const { auditChain } = server.app.domains;
    while ((await auditChain.status()).waiting > 0) await auditChain.seal();
    let check = await auditChain.check({});
    while (check.phase !== 'done' && !check.fault) check = await auditChain.check({}, check);
    expect(check.fault).to.equal(undefined);
    expect(check.checked).to.be.greaterThan(60);
    expect((await open('')).text).to.include('Sealed up to number');
  });
});
