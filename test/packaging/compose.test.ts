import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { configSchema } from '../../src/config/schema.ts';

interface Service {
  readonly image?: string;
  readonly environment?: Record<string, string>;
  readonly secrets?: string[];
  readonly volumes?: string[];
  readonly ports?: string[];
  readonly healthcheck?: { readonly test: string[] };
  readonly depends_on?: Record<string, { readonly condition: string }>;
}

interface Compose {
  readonly services: Record<string, Service>;
  readonly volumes: Record<string, unknown>;
  readonly secrets: Record<string, { readonly file: string }>;
}

const root = resolve(import.meta.dirname, '..', '..');
const text = readFileSync(join(root, 'docker-compose.yml'), 'utf8');
const compose = parse(text) as Compose;

describe('docker-compose.yml', () => {
  it('has the three services, and starts the app when the others are ready', () => {
    expect(Object.keys(compose.services)).to.deep.equal(['app', 'postgres', 'redis']);
    expect(compose.services.app?.depends_on).to.deep.equal({
      postgres: { condition: 'service_healthy' },
      redis: { condition: 'service_healthy' },
    });
    for (const name of ['postgres', 'redis'])
      expect(compose.services[name]?.healthcheck?.test, name).not.to.equal(undefined);
  });

  it('declares every secret and volume that is used, and uses every one that is declared', () => {
    const services = Object.values(compose.services);
    const secrets = services.flatMap((service) => service.secrets ?? []);
    const volumes = services.flatMap((service) => (service.volumes ?? []).map((volume) => volume.split(':')[0]));
    expect([...new Set(secrets)]).to.have.members(Object.keys(compose.secrets));
    expect([...new Set(volumes)]).to.have.members(Object.keys(compose.volumes));
  });

  it('has no password in it, and stops where a value has to be chosen', () => {
    expect(text).not.to.match(/PASSWORD(?!_FILE)\b[=:] *[^\s{]/);
    expect(compose.services.app?.environment?.SALLYPORT_ISSUER).to.match(/^\$\{SALLYPORT_ISSUER:\?.+\}$/);
    for (const { file } of Object.values(compose.secrets))
      expect(text.split('\nname:')[0], file).to.contain(file.slice(2));
  });

  it('sets variables that exist', () => {
    for (const name of Object.keys(compose.services.app?.environment ?? {})) {
      expect(Object.keys(configSchema.shape)).to.include(name.replace(/_FILE$/, ''));
    }
  });

  it('opens no port but that of the app, to this machine only', () => {
    const ports = Object.entries(compose.services).flatMap(([name, { ports: open = [] }]) =>
      open.map((port) => `${name} ${port}`),
    );
    expect(ports).to.have.length(1);
    expect(ports[0]).to.match(/^app 127\.0\.0\.1:/);
  });

  it('keeps what Redis acknowledged', () => {
    expect(text).to.contain("'appendonly yes'").and.contain("'maxmemory-policy noeviction'");
  });
});
