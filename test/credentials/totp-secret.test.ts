import { expect } from 'chai';
import { readTotpSecret } from '../../src/credentials/index.ts';

describe('secrets of authenticators that were enrolled elsewhere', () => {
  const secret = 'JBSWY3DPEHPK3PXP';

  it('are read from base32 in any case and from the address of the QR code', () => {
    for (const text of [
      secret,
      'jbsw y3dp ehpk 3pxp',
      `otpauth://totp/Old:alex%40example.com?secret=${secret}&issuer=Old`,
      `otpauth://totp/x?secret=${secret}&algorithm=SHA1&digits=6&period=30`,
    ]) {
      expect(readTotpSecret(text), text).to.deep.equal({ ok: true, secret });
    }
    expect(readTotpSecret('JBSWY3DPEHPK3PXPJBSWY3DPEA======')).to.include({ ok: true });
  });

  it('are refused when the app would show other codes', () => {
    for (const text of [
      '',
      'JBSWY3DP',
      'JBSWY3DPEHPK3PX1',
      `${secret}A`,
      'A'.repeat(104),
      `otpauth://hotp/x?secret=${secret}`,
      `otpauth://totp/x?secret=${secret}&algorithm=SHA256`,
      `otpauth://totp/x?secret=${secret}&digits=8`,
      `otpauth://totp/x?secret=${secret}&period=60`,
      'otpauth://totp/x',
      'otpauth://',
    ]) {
      expect(readTotpSecret(text), text).to.have.property('ok', false);
    }
  });
});
