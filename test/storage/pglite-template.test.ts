import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { expect } from 'chai';
import { postgresMajor } from '../../src/storage/pglite-ahead.ts';
import { readTemplate, tarEntries, templateFile, unpackTemplate } from '../../src/storage/pglite-template.ts';

const madeAnew = 'run `node src/storage/make-template.ts` after an upgrade of PGlite';

/** Every file but those that hold the moment it was made: the control file, the log and the process id. */
const lasting = (archive: Buffer): Map<string, string> =>
  new Map(
    [...tarEntries(archive)]
      .filter(({ name, directory }) => !directory && !/^(global\/pg_control$|pg_wal\/|postmaster\.)/.test(name))
      .map(({ name, body }) => [name, body.toString('latin1')]),
  );

describe('the template of the embedded database', () => {
  it('is what the installed PGlite makes, file by file', async () => {
    const template = readTemplate();
    expect(template, `${templateFile()}: ${madeAnew}`).to.be.instanceOf(Buffer);
    const pglite = await PGlite.create('memory://');
    const { rows } = await pglite.query<{ server_version: string }>('show server_version');
    const fresh = Buffer.from(await (await pglite.dumpDataDir('none')).arrayBuffer());
    await pglite.close();
    expect(rows[0]!.server_version.split('.')[0]).to.equal(postgresMajor);
    const [expected, actual] = [lasting(fresh), lasting(template!)];
    expect([...actual.keys()].sort(), madeAnew).to.deep.equal([...expected.keys()].sort());
    const changed = [...expected].filter(([name, body]) => actual.get(name) !== body).map(([name]) => name);
    expect(changed, madeAnew).to.deep.equal([]);
  }).timeout(60_000);

  it('unpacks as one, private to its owner', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'sallyport-template-'));
    try {
      await unpackTemplate(readTemplate()!, join(dir, 'database'));
      for (const { name, directory, body } of tarEntries(readTemplate()!)) {
        const path = join(dir, 'database', name);
        expect(statSync(path).mode & 0o077, name).to.equal(0);
        if (!directory && !readFileSync(path).equals(body)) expect.fail(`${name} differs`);
      }
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
