import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseEnv } from 'node:util';
import { expect } from 'chai';
import { documentedVariables, exampleEnv, markdownTable, withTable } from '../../src/config/docs.js';
import { configSchema } from '../../src/config/schema.js';
const root = resolve(import.meta.dirname, '..', '..');
describe('documentation of the configuration', () => {
    it('is as new as the schema', () => {
        const check = spawnSync(process.execPath, [join(root, 'src/config/docs.ts'), '--check'], { encoding: 'utf8' });
        expect(check.stderr + check.stdout).to.equal('');
        expect(check.status).to.equal(0);
    });
    it('describes every variable', () => {
        const variables = documentedVariables();
        expect(variables.map(({ name }) => name)).to.deep.equal(Object.keys(configSchema.shape));
        for (const { name, description } of variables)
            expect(description, name).to.match(/\.$|openssl rand -base64 48$/);
    });
    it('marks what holds a secret', () => {
        const secrets = documentedVariables().filter(({ secret }) => secret);
        expect(secrets.map(({ name }) => name)).to.include.members(['DATABASE_URL', 'REDIS_URL', 'SALLYPORT_SECRETS']);
        for (const { fallback } of secrets)
            expect(fallback).to.equal(undefined);
    });
    it('gives defaults that mean the same as no value', () => {
        const lines = readFileSync(join(root, 'config/example.env'), 'utf8').replaceAll(/^#(?=[A-Z_]+=.)/gm, '');
        const given = Object.fromEntries(Object.entries(parseEnv(lines)).filter(([, value]) => value !== ''));
        expect(Object.keys(given)).to.include('PORT');
        expect(configSchema.parse(given)).to.deep.equal(configSchema.parse({}));
    });
    it('changes when the schema does', () => {
        const [first, ...rest] = documentedVariables();
        expect(exampleEnv([{ ...first, description: 'Changed.' }, ...rest])).not.to.equal(exampleEnv([first, ...rest]));
    });
    it('goes between the marks of the README and nowhere else', () => {
        const table = markdownTable(documentedVariables().slice(0, 1));
        const readme = 'before\n<!-- config:begin -->\nold\n<!-- config:end -->\nafter\n';
        const made = withTable(readme, table);
        expect(made).to.equal(`before\n<!-- config:begin -->\n${table}\n<!-- config:end -->\nafter\n`);
        expect(withTable(made, table)).to.equal(made);
        expect(() => withTable('no marks', table)).to.throw(/config:begin/);
    });
    it('keeps a value with a pipe in its cell', () => {
        const [variable] = documentedVariables();
        expect(markdownTable([{ ...variable, description: 'a|b <c>' }])).to.contain('a\\|b &lt;c>');
    });
});
