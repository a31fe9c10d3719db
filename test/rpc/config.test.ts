import { expect } from 'chai';
import { ConfigError, loadConfig } from '../../src/config/load.ts';

describe('the configuration of gRPC', () => {
  const production = {
    NODE_ENV: 'production',
    SALLYPORT_ISSUER: 'https://id.example.com',
    SALLYPORT_SECRETS: 'x'.repeat(40),
  };
  const problemsOf = (env: Record<string, string>): string => {
    try {
      loadConfig({ ...production, ...env });
      return '';
    } catch (error) {
      return error instanceof ConfigError ? error.problems.join(' ') : String(error);
    }
  };

  it('is off, and listens on this machine only', () => {
    const config = loadConfig(production);
    expect([config.SALLYPORT_GRPC_PORT, config.SALLYPORT_GRPC_HOST]).to.deep.equal([undefined, '127.0.0.1']);
  });

  it('sends no secrets to other machines in plain text in production', () => {
    const open = { SALLYPORT_GRPC_PORT: '9091', SALLYPORT_GRPC_HOST: '0.0.0.0' };
    const tls = { SALLYPORT_GRPC_TLS_CERT: '/c.pem', SALLYPORT_GRPC_TLS_KEY: '/k.pem' };
    expect(problemsOf(open)).to.contain('SALLYPORT_GRPC_TLS_CERT');
    expect(problemsOf({ ...open, SALLYPORT_GRPC_HOST: '::' })).to.contain('plain text');
    expect(problemsOf({ ...open, ...tls })).to.equal('');
    expect(problemsOf({ ...open, SALLYPORT_GRPC_PLAINTEXT: 'true' })).to.equal('');
    expect(problemsOf({ SALLYPORT_GRPC_PORT: '9091' })).to.equal('');
    expect(problemsOf({ ...open, NODE_ENV: 'test' })).to.equal('');
  });

  it('wants both halves of a certificate', () => {
    expect(problemsOf({ SALLYPORT_GRPC_TLS_CERT: '/c.pem' })).to.contain('go together');
    expect(problemsOf({ SALLYPORT_GRPC_TLS_KEY: '/k.pem' })).to.contain('go together');
    expect(problemsOf({ SALLYPORT_GRPC_TLS_CLIENT_CA: '/ca.pem' })).to.contain('needs SALLYPORT_GRPC_TLS_CERT');
  });
});
