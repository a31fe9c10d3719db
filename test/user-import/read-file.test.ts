import { expect } from 'chai';
import { BrokenFile, type FileFormat, type FileRow, readUserFile } from '../../src/user-import/index.ts';

/** The rows of a text, whose bytes come in pieces of `size`. */
async function read(format: FileFormat, text: string | Uint8Array, size = 7): Promise<FileRow[]> {
  const bytes = Buffer.from(text as string);
  const chunks = async function* () {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
  };
  const rows: FileRow[] = [];
  for await (const row of readUserFile(chunks(), format)) rows.push(row);
  return rows;
}

const failure = async (format: FileFormat, text: string | Uint8Array): Promise<BrokenFile> => {
  const error = await read(format, text).catch((reason: unknown) => reason);
  expect(error).to.be.instanceOf(BrokenFile);
  return error as BrokenFile;
};

describe('files of users', () => {
  const users = [
    { email: 'é"]}@example.com', roles: ['a', '[b'] },
    { email: 'ü\\', profile: { name: 'a,b' } },
  ];
  const records = (rows: FileRow[]) => rows.map((row) => ('record' in row ? row.record : row.problem));

  for (const size of [1, 2, 5, 1000]) {
    it(`are read from pieces of ${size} bytes, with their lines`, async () => {
      const pretty = JSON.stringify(users, null, 2);
      expect(await read('json', pretty, size)).to.deep.equal([
        { seq: 1, line: 2, record: users[0] },
        { seq: 2, line: 9, record: users[1] },
      ]);
      expect(records(await read('json', `\ufeff{ "users" : ${JSON.stringify(users)} }\n`, size))).to.deep.equal(users);
      const lines = `\ufeff${users.map((user) => JSON.stringify(user)).join('\r\n\r\n')}`;
      expect((await read('jsonl', lines, size)).map(({ line }) => line)).to.deep.equal([1, 3]);
      expect(records(await read('jsonl', lines, size))).to.deep.equal(users);
      expect(
        await read('csv', '\ufeffemail,name\r\na@x.example,"Doe, ""A""\nB"\r\nb@x.example,\r\n', size),
      ).to.deep.equal([
        { seq: 1, line: 2, record: { email: 'a@x.example', name: 'Doe, "A"\nB' } },
        { seq: 2, line: 4, record: { email: 'b@x.example', name: '' } },
      ]);
    });
  }

  it('may be empty', async () => {
    expect(await read('json', '[ ]')).to.deep.equal([]);
    expect(await read('jsonl', '\n')).to.deep.equal([]);
    expect(await read('csv', 'email\n')).to.deep.equal([]);
  });

  it('have rows that are none, which do not end the others', async () => {
    const good = '{"email":"a@x.example"}';
    const bad = ['{"email"}', '"text"', 'null', '[1]', '{"email":"a\\u0000"}'];
    for (const [format, text] of [
      ['json', `[${[...bad, good].join(',\n')}]`],
      ['jsonl', [...bad, good].join('\n')],
    ] as const) {
      const rows = await read(format, text);
      expect(rows.map((row) => ('problem' in row ? row.problem : 'good'))).to.deep.equal([
        'This is not JSON.',
        'This is not an object.',
        'This is not an object.',
        'This is not an object.',
        'It has a NUL character.',
        'good',
      ]);
      expect(rows.map(({ line }) => line)).to.deep.equal([1, 2, 3, 4, 5, 6]);
    }
    const [first, second] = await read('csv', 'email,name\na@x.example\nb@x.example,B\n');
    expect(first).to.deep.equal({ seq: 1, line: 2, problem: 'It has 1 columns where the first line has 2.' });
    expect(second).to.have.property('line', 3);
  });

  it('that are broken say where', async () => {
    expect(await failure('json', '{"a":1,"b":[]}'))
      .to.have.property('message')
      .that.contains('no end');
    expect(await failure('json', 'x'.repeat(2000)))
      .to.have.property('message')
      .that.contains('no JSON list');
    expect(await failure('json', '[\n{"email":"a"},\n{"email"')).to.include({ line: 3 });
    expect(await failure('json', ''))
      .to.have.property('message')
      .that.contains('no end');
    expect(await failure('csv', 'email,name\na,b\na,"b\n')).to.include({ line: 3 });
    expect(await failure('csv', 'email,email\na,b\n')).to.include({ line: 1 });
    expect(await failure('jsonl', Buffer.from('{}\n{}\n{"a":"\xff"}\n', 'latin1'))).to.include({ line: 3 });
    for (const format of ['json', 'jsonl', 'csv'] as const) {
      const start = { json: '[{}\n,"', jsonl: '{}\n', csv: 'email\n' }[format];
      expect(await failure(format, start + 'x'.repeat(100_000)), format).to.include({ line: 2 });
    }
  });
});
