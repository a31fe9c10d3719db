import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse } from 'yaml';
import { identityHeaderNames, readRequirement } from '../../src/forward-auth/index.ts';
import { forwardAuthPaths } from '../../src/web/forward-auth/lane.ts';

const root = join(import.meta.dirname, '..', '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

describe('what deploy/ and docs/ say of forward auth', () => {
  it('names every identity header wherever a proxy has to overwrite it', () => {
    const nginx = read('deploy/nginx/sallyport-identity.conf');
    const caddy = /copy_headers (.+)/.exec(read('deploy/caddy/Caddyfile'))?.[1]?.split(' ');
    const docs = read('docs/forward-auth.md');
    for (const name of identityHeaderNames) {
      const variable = `$sallyport_${name.slice('X-Auth-'.length).toLowerCase().replaceAll('-', '_')}`;
      const upstream = `$upstream_http_${name.toLowerCase().replaceAll('-', '_')}`;
      expect(nginx).to.contain(`auth_request_set ${variable} ${upstream};`);
      expect(nginx).to.contain(`proxy_set_header ${name} ${variable};`);
      expect(docs).to.contain(`\`${name}\``);
    }
    expect(caddy).to.have.members([...identityHeaderNames]);
    expect(identityHeaderNames.every((name) => /^X-Auth-/.test(name))).to.equal(true);
  });

  it('takes out what clients sent before Caddy copies the answer, which only a route does in the order it is written', () => {
    const caddy = read('deploy/caddy/Caddyfile').replace(/^#.*$/gm, '');
    expect(caddy).to.match(/\broute \{\s+request_header -X-Auth-\*\s+forward_auth /);
    expect(caddy.match(/request_header/g)).to.have.length(1);
  });

  it('has rules and addresses that exist', () => {
    const files = ['nginx/app.conf', 'nginx/api.conf', 'traefik/dynamic.yml', 'caddy/Caddyfile'].map((file) =>
      read(`deploy/${file}`),
    );
    const rules = files.flatMap((text) =>
      [...text.matchAll(/(?:"|check\?|import sallyport )((?:app|audience)=[^"\s]+)/g)].map(([, rule = '']) => rule),
    );
    expect(rules).to.have.length(7);
    for (const rule of rules) expect(() => readRequirement(new URLSearchParams(rule)), rule).not.to.throw();
    const paths = files.flatMap((text) => [...text.matchAll(/\/forward-auth\/\w+/g)].map(([path]) => path));
    expect([...new Set(paths)]).to.have.members(Object.keys(forwardAuthPaths));
    const envoy = parse(read('deploy/envoy/ext-authz.yaml')) as {
      routes: {
        typed_per_filter_config: Record<string, { check_settings: { context_extensions: Record<string, string> } }>;
      }[];
    };
    const [check] = envoy.routes.flatMap(({ typed_per_filter_config: filters }) => Object.values(filters));
    expect(readRequirement(Object.entries(check?.check_settings.context_extensions ?? {})).scopes).to.deep.equal([
      'orders.read',
    ]);
    expect(() => parse(read('deploy/traefik/dynamic.yml'))).not.to.throw();
  });
});
