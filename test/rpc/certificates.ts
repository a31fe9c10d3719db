import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certificates extends Disposable {
  /** Files, PEM. */
  readonly ca: string;
  issue(commonName: string): { readonly cert: string; readonly key: string };
}

function openssl(...given: string[]): void {
  const { status, stderr } = spawnSync('openssl', given, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`openssl ${given[0]}: ${stderr}`);
}

/** A certificate authority of the test's own, for a day. */
export function createCertificates(): Certificates {
  const dir = mkdtempSync(join(tmpdir(), 'sallyport-certificates-'));
  const file = (name: string): string => join(dir, name);
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'];
  openssl('req', '-x509', ...key, '-subj', '/CN=Test CA', '-keyout', file('ca.key'), '-out', file('ca.pem'));
  let count = 0;
  return {
    ca: file('ca.pem'),
    issue(commonName) {
      count += 1;
      const own = { cert: file(`${count}.pem`), key: file(`${count}.key`) };
      const signed = [
        '-CA',
        file('ca.pem'),
        '-CAkey',
        file('ca.key'),
        '-addext',
        'subjectAltName=DNS:localhost,IP:127.0.0.1',
      ];
      openssl('req', '-x509', ...key, ...signed, '-subj', `/CN=${commonName}`, '-keyout', own.key, '-out', own.cert);
      return own;
    },
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}
