import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { ruleNames } from '../../src/alerts/index.ts';
import { rarely } from '../../src/app/operations.ts';
import { createClient, createPerson, type Person } from '../support/people.ts';
import { freePort, type RunningApp, startApp } from '../support/start-app.ts';
import { tokenOf } from './api-caller.ts';

const root = join(import.meta.dirname, '..', '..');
const page = readFileSync(join(root, 'docs', 'operations.md'), 'utf8');
const dashboard = readFileSync(join(root, 'deploy', 'grafana', 'sallyport.json'), 'utf8');

interface Documented {
  readonly type: string;
  readonly labels: readonly string[];
  /** Only there with this. */
  readonly condition: string | undefined;
}

/** The table of the page, by name. */
function documented(): Map<string, Documented> {
  const [, table = ''] = /<!-- metrics:begin -->([\s\S]*)<!-- metrics:end -->/.exec(page) ?? [];
  const rows = [...table.matchAll(/^\| `([a-z_]+)` \| (\w+) \| (.*?) ?\| (.*) \|$/gm)];
  return new Map(
    rows.map(([, name = '', type = '', labels = '', text = '']) => [
      `sallyport_${name}`,
      {
        type,
        labels: [...labels.matchAll(/`(\w+)`/g)].map(([, label = '']) => label).sort(),
        condition: /With (PostgreSQL|Redis|traces)\.$/.exec(text)?.[1],
      },
    ]),
  );
}

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The text form of Prometheus, read. */
function read(text: string): { types: Map<string, string>; samples: Sample[] } {
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\w+)$/gm)].map(([, name = '', type = '']) => [name, type]));
  const samples = [...text.matchAll(/^([a-z_]+)(?:\{(.*)\})? (\S+)$/gm)].map(
    ([, name = '', labels = '', value = '']) => ({
      name,
      labels: Object.fromEntries([...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, text]) => [key, text])),
      value: Number(value),
    }),
  );
  return { types, samples };
}

const familyOf = (name: string, types: ReadonlyMap<string, string>): string =>
  types.has(name) ? name : name.replace(/_(bucket|sum|count)$/, '');

describe('metrics of a server that was used', () => {
  let server: RunningApp;
  let person: Person;
  let scraped: ReturnType<typeof read>;
  let text = '';

  before(async function () {
    this.timeout(60_000);
    const port = await freePort();
    server = await startApp({ SALLYPORT_MANAGEMENT_PORT: String(port) });
    person = await createPerson(server);
    const token = await tokenOf(server, person);
    const { client, secret } = await createClient(server, { kind: 'service' });
    const authorization = `Basic ${Buffer.from(`${client.id}:${secret}`).toString('base64')}`;
    const ask = (path: string, body: Record<string, string>): Promise<Response> =>
      fetch(`${server.url}${path}`, { method: 'POST', headers: { authorization }, body: new URLSearchParams(body) });
    await ask('/oauth2/introspect', { token });
    await ask('/oauth2/introspect', { token: 'of-nobody' });
    await ask('/oauth2/token', { grant_type: 'client_credentials', scope: `"} evil{x="` });
    const { audit, webhooks } = server.app.domains;
    const [actor, outcome] = [{ kind: 'stranger' }, 'failure'] as const;
    await audit.record({ type: 'sign_in.failed', actor, outcome, details: { reason: 'email:wrong_code' } });
    await audit.record({ type: 'second_factor.failed', actor, outcome, details: { reason: 'backup_code:wrong' } });
    await audit.record({ type: 'sign_in.locked', actor, outcome, details: { failures: 5 } });
    await webhooks.add({ url: 'http://127.0.0.1:9/', events: ['alert.*'] }, { kind: 'operator' });
    text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    scraped = read(text);
  });
  after(() => server[Symbol.asyncDispose]());

  const value = (name: string, labels: Record<string, string> = {}): number | undefined =>
    scraped.samples.find(
      (sample) =>
        sample.name === name && Object.entries(labels).every(([key, wanted]) => sample.labels[key] === wanted),
    )?.value;

  it('are those of docs/operations.md, with their types and labels', () => {
    const table = documented();
    const own = [...scraped.types].filter(([name]) => name.startsWith('sallyport_'));
    expect(own.length).to.be.at.least(20);
    const here = [...table].filter(([, { condition }]) => condition === undefined).map(([name]) => name);
    expect(own.map(([name]) => name)).to.include.members(here);
    for (const [name, type] of own) expect(`${name} ${type}`).to.equal(`${name} ${table.get(name)?.type}`);
    for (const { name, labels } of scraped.samples.filter((sample) => sample.name.startsWith('sallyport_'))) {
      const keys = Object.keys(labels).filter((key) => key !== 'le');
      expect(keys.sort(), name).to.deep.equal(table.get(familyOf(name, scraped.types))?.labels);
    }
  });

  it('say nothing about people, and nothing that a stranger chose', () => {
    const { id, email } = person.account;
    for (const secret of [id, email ?? person.login, person.login, '127.0.0.1', 'evil', 'of-nobody']) {
      expect(text).not.to.include(secret);
    }
    for (const { name, labels } of scraped.samples.filter((sample) => sample.name.startsWith('sallyport_'))) {
      for (const label of Object.values(labels)) expect(label, name).to.match(/^[A-Za-z0-9_.+-]{1,40}$/);
    }
  });

  it('count what happened', () => {
    expect(value('sallyport_sign_ins_total', { factor: 'password', outcome: 'success' })).to.equal(1);
    expect(value('sallyport_sign_ins_total', { factor: 'email', outcome: 'failure' })).to.equal(1);
    expect(value('sallyport_sign_ins_total', { factor: 'backup_code', outcome: 'failure' })).to.equal(1);
    expect(value('sallyport_sign_ins_total', { outcome: 'locked' })).to.equal(1);
    expect(value('sallyport_audit_events_total', { type: 'sign_in.succeeded' })).to.equal(1);
    expect(value('sallyport_token_issue_duration_seconds_count', { outcome: 'ok' })).to.be.at.least(1);
    expect(value('sallyport_token_issue_duration_seconds_count', { outcome: 'refused' })).to.equal(1);
    const asked = value('sallyport_token_verification_duration_seconds_count', { way: 'introspection', outcome: 'ok' });
    expect(asked).to.equal(2);
    expect(value('sallyport_sessions')).to.equal(1);
    expect(value('sallyport_sql_up')).to.equal(1);
    expect(value('sallyport_outbox_waiting', { queue: 'webhooks' })).to.equal(0);
    expect(value('sallyport_store_call_duration_seconds_count', { store: 'sql', operation: 'insert' })).to.be.above(3);
    for (const rule of ruleNames) expect(value('sallyport_alert_firing', { rule }), rule).to.equal(0);
  });

  it('are what the dashboard asks for', () => {
    const known = new Set(
      [...scraped.types].flatMap(([name, type]) =>
        type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
      ),
    );
    for (const [name, { condition }] of documented()) if (condition !== undefined) known.add(name);
    const queries = [...dashboard.matchAll(/"(?:expr|definition)": "((?:[^"\\]|\\.)*)"/g)].map(
      ([, query = '']) => query,
    );
    expect(queries.length).to.be.at.least(25);
    for (const query of queries) {
      const names = query.match(/\b(?:sallyport|process|nodejs)_[a-z0-9_]+/g) ?? [];
      expect(names, query).not.to.have.length(0);
      for (const name of names) expect([...known], `${name} of the dashboard`).to.include(name);
      for (const [, by = ''] of query.matchAll(/by \(([^)]*)\)/g)) {
        const family = documented().get(familyOf(names[0] ?? '', scraped.types));
        const labels = by.split(/,\s*/).filter((label) => label !== 'le');
        expect(family?.labels ?? [], query).to.include.members(labels);
      }
    }
  });

  it('show each rule of the documentation', () => {
    for (const rule of ruleNames) expect(page).to.include(`| \`${rule}\` |`);
  });
});

describe('numbers that are read rarely', () => {
  it('are read once for many scrapes, and hold none of them up', async () => {
    let reads = 0;
    const fine = rarely(async () => {
      reads += 1;
      return reads;
    });
    expect(await Promise.all([fine(), fine(), fine()])).to.deep.equal([1, 1, 1]);
    expect(await rarely(() => Promise.reject(new Error('away')))()).to.equal(undefined);
    const begun = performance.now();
    expect(await rarely(() => new Promise(() => undefined))()).to.equal(undefined);
    expect(performance.now() - begun).to.be.below(8_000);
  });
});
