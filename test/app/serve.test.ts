import { expect } from 'chai';
import { startError } from '../../src/app/serve.ts';
import { ConfigError } from '../../src/config/load.ts';
import { AppError } from '../../src/shared/errors.ts';

describe('what keeps a server from starting', () => {
  it('is told with the fields that it is about', () => {
    const fields = { apis: 'https://a.example is not a registered API.' };
    expect(startError(new AppError('invalid_input', 'Some client fields cannot be accepted.', { fields }))).to.equal(
      'Sallyport could not start: Some client fields cannot be accepted.\n  apis: https://a.example is not a registered API.',
    );
  });

  it('is the configuration alone, where that is wrong', () => {
    expect(startError(new ConfigError(['PORT: Give a whole number from 0 to 65535.']))).to.equal(
      'The configuration is not usable:\n  - PORT: Give a whole number from 0 to 65535.',
    );
    expect(startError(new Error('no'))).to.equal('Sallyport could not start: no');
  });
});
