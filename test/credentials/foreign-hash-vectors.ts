// Hashes that other programs made: Python's hashlib (PBKDF2, scrypt, SHA), crypt(3) of libxcrypt (bcrypt) and OpenSSL by
// node:crypto (argon2). Firebase's is the one that its documentation shows.
import type { HashParts } from '../../src/credentials/index.ts';

/** The password of all of them. Normalising changes it, so only what was typed matches. */
export const foreignPassword = 'pässword ½ 1';

/** Texts that name their algorithm. */
export const foreignTexts: Readonly<Record<string, string>> = {
  'PBKDF2-sha1 PHC': '$pbkdf2-sha1$i=1500,l=20$TmFDbC1mb3ItdGVzdHMxNg$UigsE1UK+TmBkvXEKnvECwdG8yo',
  'PBKDF2-sha1 Django': 'pbkdf2_sha1$1500$NaCl-for-tests16$UigsE1UK+TmBkvXEKnvECwdG8yo=',
  'PBKDF2-sha1 passlib': '$pbkdf2$1500$TmFDbC1mb3ItdGVzdHMxNg$UigsE1UK.TmBkvXEKnvECwdG8yo',
  'PBKDF2-sha256 PHC': '$pbkdf2-sha256$i=1500,l=32$TmFDbC1mb3ItdGVzdHMxNg$1zh/hdYo3YlTg8Ft3k31HGQJ6G2IDfB+6W4cNHn7s+w',
  'PBKDF2-sha256 Django': 'pbkdf2_sha256$1500$NaCl-for-tests16$1zh/hdYo3YlTg8Ft3k31HGQJ6G2IDfB+6W4cNHn7s+w=',
  'PBKDF2-sha256 passlib': '$pbkdf2-sha256$1500$TmFDbC1mb3ItdGVzdHMxNg$1zh/hdYo3YlTg8Ft3k31HGQJ6G2IDfB.6W4cNHn7s.w',
  'PBKDF2-sha512 PHC':
    '$pbkdf2-sha512$i=1500,l=64$TmFDbC1mb3ItdGVzdHMxNg$qRtJno9fIBjEeGPFNQYaNmzFbmmTE9rgQHssN1yid9BWyEahpA/xZwKBufgoJT3Af9Shr5YvSuKb454Go8ECFg',
  'PBKDF2-sha512 Django':
    'pbkdf2_sha512$1500$NaCl-for-tests16$qRtJno9fIBjEeGPFNQYaNmzFbmmTE9rgQHssN1yid9BWyEahpA/xZwKBufgoJT3Af9Shr5YvSuKb454Go8ECFg==',
  'PBKDF2-sha512 passlib':
    '$pbkdf2-sha512$1500$TmFDbC1mb3ItdGVzdHMxNg$qRtJno9fIBjEeGPFNQYaNmzFbmmTE9rgQHssN1yid9BWyEahpA/xZwKBufgoJT3Af9Shr5YvSuKb454Go8ECFg',
  'PBKDF2 Werkzeug':
    'pbkdf2:sha256:1500$NaCl-for-tests16$d7387f85d628dd895383c16dde4df51c6409e86d880df07ee96e1c3479fbb3ec',
  'scrypt PHC':
    '$scrypt$ln=10,r=8,p=1$TmFDbC1mb3ItdGVzdHMxNg$JZH79nH8HQVQoVGp8PvLg8SeJeeUkeKiwgwrvpi0NTp7lLuVSOT/hRha0MEncsSAP+XSkDF/1daRPvgeNK9/dQ',
  'scrypt Werkzeug':
    'scrypt:1024:8:1$NaCl-for-tests16$2591fbf671fc1d0550a151a9f0fbcb83c49e25e79491e2a2c20c2bbe98b4353a7b94bb9548e4ff85185ad0c12772c4803fe5d290317fd5d6913ef81e34af7f75',
  'LDAP SSHA': '{SSHA}yLwx4WoecsAT1Bbd8WMEDXTa2JpOYUNsLWZvci10ZXN0czE2',
  'LDAP SSHA256': '{SSHA256}oePyf0ecLYS/E7yUX9HvGmyrMTQ0fxTeoaC1CX3NrftOYUNsLWZvci10ZXN0czE2',
  'LDAP SSHA512':
    '{SSHA512}MWKRHHQTlP4x7z9BZEjrX2NjmYbCTLNmMU+GVFc7+5HhBsUayp4sfy7of6F4DZNfYXE9DVVUYJx0pUHZeWXWr05hQ2wtZm9yLXRlc3RzMTY=',
  'Django sha1': 'sha1$NaCl-for-tests16$5d2492b11478767683151bc26bab003d936182be',
  'bcrypt 2a': '$2a$04$abcdefghijklmnopqrstuuBYP73LZe6dzDcIH..d3UnHa9.fFNHaK',
  'bcrypt 2b': '$2b$05$ZbcdefghijklmnopqrstuudImdOCwF1425.Gh5kopV.CTCsyRgv9.',
  'bcrypt 2y': '$2y$04$Ybcdefghijklmnopqrstuu3iHVkpP787ALJ2mHeHkkSYkz5PHz1Jq',
  'bcrypt_sha256 Django': 'bcrypt_sha256$$2b$04$XbcdefghijklmnopqrstuudhJIZKFt46XfUmFQjTENVW4Sefn2pQ.',
  'bcrypt of LDAP': '{CRYPT}$2y$04$Ybcdefghijklmnopqrstuu3iHVkpP787ALJ2mHeHkkSYkz5PHz1Jq',
  'argon2i of other parameters':
    '$argon2i$v=19$m=256,t=3,p=1$TmFDbC1mb3ItdGVzdHMxNg$6dVWBaXUzkKcb0J8q/RSldDHeZiKbIcNgcFe/ENZbIA',
  'argon2d of other parameters':
    '$argon2d$v=19$m=512,t=2,p=1$TmFDbC1mb3ItdGVzdHMxNg$bt64rRUD6R/OGFbbRg6rFc50xqNuVtv68Prd3CzlJgs',
  'argon2id of other parameters':
    '$argon2id$v=19$m=1024,t=3,p=2$TmFDbC1mb3ItdGVzdHMxNg$v0Vs4HUq/CnsbIvvxxCeP9wnGrV+0NBhW8VRk3MkjYs',
};

/** Hashes in parts. */
export const foreignParts: Readonly<Record<string, HashParts>> = {
  'sha1, salt first, hex': {
    algorithm: 'sha1',
    hash: '5d2492b11478767683151bc26bab003d936182be',
    encoding: 'hex',
    salt: 'NaCl-for-tests16',
    saltEncoding: 'text',
    order: 'salt+password',
  },
  'sha1, salt last, base64': {
    algorithm: 'sha1',
    hash: 'yLwx4WoecsAT1Bbd8WMEDXTa2Jo=',
    encoding: 'base64',
    salt: '4e61436c2d666f722d74657374733136',
    saltEncoding: 'hex',
    order: 'password+salt',
  },
  'sha256, salt first, hex': {
    algorithm: 'sha256',
    hash: '4d0e1adc3691277151a77461f1a6bb3a19ca3ededac91ebdd0b3cadf61e7c6c5',
    encoding: 'hex',
    salt: 'NaCl-for-tests16',
    saltEncoding: 'text',
    order: 'salt+password',
  },
  'sha256, salt last, base64': {
    algorithm: 'sha256',
    hash: 'oePyf0ecLYS/E7yUX9HvGmyrMTQ0fxTeoaC1CX3Nrfs=',
    encoding: 'base64',
    salt: '4e61436c2d666f722d74657374733136',
    saltEncoding: 'hex',
    order: 'password+salt',
  },
  'sha512, salt first, hex': {
    algorithm: 'sha512',
    hash: 'f379e94595cfb3e260a6eca50fe3c36d5f6fc69fb2746119fa02d04ae1ee44e8adfd43215d01907b254af0e8d4158769192e9a6491c881607fc5d301666bcf5f',
    encoding: 'hex',
    salt: 'NaCl-for-tests16',
    saltEncoding: 'text',
    order: 'salt+password',
  },
  'sha512, salt last, base64': {
    algorithm: 'sha512',
    hash: 'MWKRHHQTlP4x7z9BZEjrX2NjmYbCTLNmMU+GVFc7+5HhBsUayp4sfy7of6F4DZNfYXE9DVVUYJx0pUHZeWXWrw==',
    encoding: 'base64',
    salt: '4e61436c2d666f722d74657374733136',
    saltEncoding: 'hex',
    order: 'password+salt',
  },
  'sha256 without a salt': {
    algorithm: 'sha256',
    hash: '07146101bd295ca75fce8bba22af93624abb6f10dec6b4cdd2de66f5c6551704',
    encoding: 'hex',
  },
  'pbkdf2-sha512 of 64 bytes': {
    algorithm: 'pbkdf2-sha512',
    hash: '906a3ba1d218f28a64b08ec51dd4961f379345a8b00206898a3fc1e5d1da09c0e20fe331c528dfcab9c2d9883dc55807bd4e5d74ac6d0e31ebdba624471b6607',
    encoding: 'hex',
    salt: '4e61436c2d666f722d74657374733136',
    saltEncoding: 'text',
    iterations: '2000',
  },
  'pbkdf2-sha1 longer than its digest': {
    algorithm: 'pbkdf2-sha1',
    hash: 'e508fe8d822871ba0ec3b5994de7b2740c401af92447ae82f70d1084506c01f62f112fa445ebd8f126bc2775b5535e301c677e2bb660b4b8fad5516d54d498c3',
    encoding: 'hex',
    salt: '4e61436c2d666f722d74657374733136',
    saltEncoding: 'hex',
    iterations: 2000,
  },
  'scrypt as node:crypto makes it': {
    algorithm: 'scrypt',
    hash: '35f0cf19ffdf55b44af2a9560684f6b619bf62afcc853a0d769ba8b9954ccf37ec0660438886db328dbd36f0643619640daedd920b9970f053e4b6c4945ce8b1',
    encoding: 'hex',
    salt: '4e61436c2d666f722d74657374733136',
    saltEncoding: 'text',
    n: 16384,
    r: 8,
    p: 1,
  },
};

/** Of `user1password`. */
export const firebaseParts: HashParts = {
  algorithm: 'firebase-scrypt',
  hash: 'lSrfV15cpx95/sZS2W9c9Kp6i/LVgQNDNC/qzrCnh1SAyZvqmZqAjTdn3aoItz+VHjoZilo78198JAdRuid5lQ==',
  salt: '42xEC+ixf3L2lw==',
  signerKey: 'jxspr8Ki0RYycVU8zykbdLGjFQ3McFUH0uiiTvC8pVMXAn210wjLNmdZJzxUECKbm0QsEmYUSDzZvpjeJ9WmXA==',
  saltSeparator: 'Bw==',
  n: 14,
  r: 8,
};

/** bcrypt of 80 times `a`, of which it saw 72. */
export const longBcrypt = '$2b$04$Xbcdefghijklmnopqrstuuc2HmN2ToraNPKhqp0/KFw7e8g3/8zb2';
