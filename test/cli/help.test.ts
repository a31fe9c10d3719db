import { expect } from 'chai';
import { allCommands } from '../../src/cli/run-cli.ts';
import { cli } from './command-line.ts';

describe('help', () => {
  it('lists every command', async () => {
    const { out, code } = await cli({}, ['help']);
    expect(code).to.equal(0);
    for (const { name } of allCommands) expect(out).to.contain(`  ${name} `);
  });

  it('has the commands of a group together', async () => {
    const { out } = await cli({}, ['help']);
    const groups = [...out.matchAll(/^ {2}([a-z-]+) /gm)].map(([, word]) => word);
    expect(groups.filter((word, index) => word !== groups[index - 1])).to.have.length(new Set(groups).size);
  });

  for (const words of [
    ['users', '--help'],
    ['users', '-h'],
    ['help', 'users'],
  ]) {
    it(`shows the commands of a group: ${words.join(' ')}`, async () => {
      const { out, code } = await cli({}, words);
      expect(code).to.equal(0);
      expect(out).to.match(/^Usage: sallyport users <command>/);
      for (const { name, summary } of allCommands) expect(out.includes(summary)).to.equal(name.startsWith('users '));
      for (const line of out.split('\n')) expect(line.length).to.be.below(160);
    });
  }

  it('shows which word may be left out, and what the word is', async () => {
    expect((await cli({}, ['help', 'revocations', 'all-before'])).out)
      .to.include('all-before [<moment>] [options]')
      .and.match(/<moment> +Until when, .* Default: now/);
    expect((await cli({}, ['help', 'users', 'show'])).out)
      .to.include('users show <user> [options]')
      .and.match(/<user> +Id, email or username/);
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
