import { expect } from 'chai';
import { createClientDocuments } from '../../src/oidc/index.ts';
import { FixedClock } from '../../src/shared/clock.ts';
import { silentLogger } from '../../src/shared/logger.ts';

const url = 'https://app.example/keys';

function fixture() {
  const clock = new FixedClock();
  const asked: string[] = [];
  let body = '{"keys":[]}';
  let problem: Error | undefined;
  const documents = createClientDocuments({
    async get(address) {
      asked.push(address);
      if (problem) throw problem;
      return { headers: { 'cache-control': 'max-age=90' }, body: Buffer.from(body) };
    },
    clock,
    logger: silentLogger(),
  });
  const read = (address = url) =>
    documents(address, { method: 'GET' }).then(
      async (answer) => `${answer.status} ${answer.headers.get('cache-control')} ${await answer.text()}`,
      (error: Error) => error.message,
    );
  return {
    clock,
    asked,
    read,
    publish(text: string): void {
      body = text;
    },
    fail(error?: Error): void {
      problem = error;
    },
  };
}

describe('what clients publish', () => {
  it('is given to the provider as it is', async () => {
    const { read, asked } = fixture();
    expect(await read()).to.equal('200 max-age=90 {"keys":[]}');
    expect(asked).to.deep.equal([url]);
  });

  it('is not asked for again for ten seconds after a failure, whoever names the client', async () => {
    const { read, asked, fail, clock } = fixture();
    fail(new Error('nobody there'));
    expect(await Promise.all([read(), read('https://other.example/keys')])).to.deep.equal([
      'nobody there',
      'nobody there',
    ]);
    fail();
    clock.advance(9.999);
    expect(await read()).to.equal('nobody there');
    expect(asked).to.have.length(2);
    clock.advance(0.001);
    expect(await read()).to.equal('200 max-age=90 {"keys":[]}');
    expect(await read()).to.equal('200 max-age=90 {"keys":[]}');
    expect(asked).to.have.length(4);
  });

  it('is JSON with no more keys than an app has, else a failure like others', async () => {
    for (const text of ['', 'x', JSON.stringify({ keys: Array.from({ length: 65 }, () => ({ kty: 'EC' })) })]) {
      const { read, asked, publish } = fixture();
      publish(text);
      expect(await read()).to.not.match(/^200/);
      expect(await read()).to.not.match(/^200/);
      expect(asked, text.slice(0, 9)).to.have.length(1);
    }
    const { read, publish } = fixture();
    publish(JSON.stringify({ keys: Array.from({ length: 64 }, () => ({ kty: 'EC' })) }));
    expect(await read()).to.match(/^200/);
  });
});
