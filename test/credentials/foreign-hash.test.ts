import { expect } from 'chai';
import { readForeignHash } from '../../src/credentials/index.ts';
import { hasher } from './fixture.ts';
import { firebaseParts, foreignParts, foreignPassword, foreignTexts } from './foreign-hash-vectors.ts';

function stored(given: Parameters<typeof readForeignHash>[0]): string {
  const reading = readForeignHash(given);
  if (!reading.ok) throw new Error(reading.reason);
  return reading.stored;
}

const refusal = (given: Parameters<typeof readForeignHash>[0]): string => {
  const reading = readForeignHash(given);
  return reading.ok ? 'accepted' : reading.reason;
};

describe('hashes of other systems', () => {
  for (const [name, given] of Object.entries({ ...foreignTexts, ...foreignParts })) {
    it(`${name}: its password matches and no other`, async () => {
      const hash = stored(given);
      const normal = foreignPassword.normalize('NFKC');
      expect(await hasher.verify(hash, normal, foreignPassword)).to.equal('match');
      for (const wrong of ['', foreignPassword.slice(0, -1), `${foreignPassword} `, foreignPassword.toUpperCase()]) {
        expect(await hasher.verify(hash, wrong), wrong).to.equal('mismatch');
      }
      expect(stored(hash), 'what is stored can be read again').to.equal(hash);
    });
  }

  it("Firebase's: without its signer key in what is stored", async () => {
    const hash = stored(firebaseParts);
    expect(await hasher.verify(hash, 'user1password')).to.equal('match');
    expect(await hasher.verify(hash, 'user2password')).to.equal('mismatch');
    const key = Buffer.from(firebaseParts.signerKey ?? '', 'base64')
      .toString('base64')
      .slice(0, 40);
    expect(hash).not.to.contain(key).and.not.to.contain(firebaseParts.hash.slice(0, 40));
  });

  it('tell salt first from salt last', async () => {
    const [first] = Object.values(foreignParts);
    const turned = stored({ ...first!, order: 'password+salt' });
    expect(await hasher.verify(turned, foreignPassword)).to.equal('mismatch');
  });

  it('are refused when verifying one would cost too much', () => {
    const salt = 'TmFDbC1mb3ItdGVzdHMxNg';
    const hash = 'v0Vs4HUq/CnsbIvvxxCeP9wnGrV+0NBhW8VRk3MkjYs';
    const crypt = 'abcdefghijklmnopqrstuuPp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e';
    expect(refusal(`$2b$16$${crypt}`)).to.equal('accepted');
    expect(refusal(`$2b$17$${crypt}`)).to.contain('cost 17');
    expect(refusal(`$2b$03$${crypt}`)).to.contain('cost 3');
    expect(refusal(`$pbkdf2-sha256$i=2000000$${salt}$${hash}`)).to.equal('accepted');
    expect(refusal(`$pbkdf2-sha256$i=2000001$${salt}$${hash}`)).to.contain('2000001 iterations');
    expect(refusal(`pbkdf2_sha256$9999999999$salt$${hash}=`)).to.contain('9999999999 iterations');
    expect(refusal(`$pbkdf2-sha256$i=0$${salt}$${hash}`)).to.contain('0 iterations');
    expect(refusal(`$scrypt$ln=17,r=8,p=1$${salt}$${hash}`)).to.equal('accepted');
    for (const parameters of [
      'ln=18,r=8,p=1',
      'ln=17,r=8,p=5',
      'ln=14,r=99999,p=1',
      'ln=99,r=8,p=1',
      'ln=4,r=8,p=17',
    ]) {
      expect(refusal(`$scrypt$${parameters}$${salt}$${hash}`), parameters).to.match(/scrypt/);
    }
    expect(refusal(`$argon2id$v=19$m=262144,t=4,p=1$${salt}$${hash}`)).to.equal('accepted');
    for (const parameters of [
      'm=262145,t=1,p=1',
      'm=262144,t=9,p=1',
      'm=1024,t=99999999,p=1',
      'm=1024,t=1,p=17',
      'm=0,t=1,p=1',
    ]) {
      expect(refusal(`$argon2id$v=19$${parameters}$${salt}$${hash}`), parameters).to.match(/argon2/);
    }
  });

  it('are refused when they are none, in a sentence', () => {
    for (const text of [
      '',
      'secret',
      '5f4dcc3b5aa765d61d8327deb882cf99',
      '$2x$10$abcdefghijklmnopqrstuuPp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e',
      '$2b$10$short',
      '$6$rounds=5000$salt$hash',
      '$pbkdf2-md5$i=1000$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA',
      'scrypt:1000:8:1$salt$00000000000000000000000000000000',
      'x'.repeat(100_000),
      `$pbkdf2-sha256$i=10$${'A'.repeat(900)}$${'A'.repeat(43)}`,
    ]) {
      expect(refusal(text), text.slice(0, 60)).to.match(/not a hash of a known form|bytes/);
    }
    const sha = { algorithm: 'sha256', hash: '00'.repeat(32), encoding: 'hex', salt: 'ab', saltEncoding: 'hex' };
    expect(refusal(sha)).to.contain('salt+password or password+salt');
    expect(refusal({ ...sha, order: 'salt+password', saltEncoding: undefined })).to.contain('hex or base64, or text');
    expect(refusal({ ...sha, order: 'salt+password', salt: 'xy' })).to.equal('The salt is not hex.');
    expect(refusal({ ...sha, order: 'salt+password', hash: '00'.repeat(20) })).to.contain('20 bytes');
    expect(refusal({ ...sha, algorithm: 'md5' })).to.contain('Use one of sha1');
    expect(refusal({ ...sha, algorithm: 'pbkdf2-sha256' })).to.contain('iterations');
    expect(refusal({ ...sha, algorithm: 'scrypt', n: '1000', r: 8, p: 1 })).to.contain('power of two');
    expect(refusal({ ...firebaseParts, signerKey: 'AAAA' })).to.contain('signer key');
  });

  it('beyond the limits are not verified even where they are stored', async () => {
    const started = performance.now();
    const salt = 'TmFDbC1mb3ItdGVzdHMxNg$v0Vs4HUq/CnsbIvvxxCeP9wnGrV+0NBhW8VRk3MkjYs';
    for (const hash of [
      '$2b$31$abcdefghijklmnopqrstuuPp7HPfoAs8I2dCQCQ/fW7zEJv8I8C8e',
      `$argon2id$v=19$m=4194304,t=1000,p=1$${salt}`,
      `$scrypt$ln=30,r=8,p=1$${salt}`,
      `$pbkdf2-sha256$i=4294967295$${salt}`,
    ]) {
      expect(await hasher.verify(hash, 'x'), hash).to.equal('malformed');
    }
    expect(performance.now() - started).to.be.below(3_000);
  });
});
