import { expect } from 'chai';
import { allCommands } from '../../src/cli/run-cli.js';
import { cli } from './command-line.js';
describe('help', () => {
    it('lists every command', async () => {
        const { out, code } = await cli({}, ['help']);
        expect(code).to.equal(0);
        for (const { name } of allCommands)
            expect(out).to.contain(`  ${name} `);
    });
    for (const command of allCommands) {
        it(`describes every option of ${command.name}`, async () => {
            const { out, code } = await cli({}, ['help', ...command.name.split(' ')]);
            expect(code).to.equal(0);
            expect(out).to.contain(command.summary);
            expect(out).not.to.match(/^ +--\S+( …)? *$/m);
            expect((await cli({}, [...command.name.split(' '), '--help'])).out).to.equal(out);
        });
    }
    it('prints versions, and secrets that the configuration accepts', async () => {
        expect((await cli({}, ['--version'])).out).to.match(/^sallyport \d+\.\d+\.\d+ \(Node \d+/);
        const secrets = await Promise.all([cli({}, ['secret']), cli({}, ['secret', '--json'])]);
        expect(secrets[0].out.trim()).to.match(/^[\w-]{64}$/);
        expect(secrets[1].json().secret)
            .to.match(/^[\w-]{64}$/)
            .and.not.equal(secrets[0].out.trim());
    });
});
