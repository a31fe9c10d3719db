import { expect } from 'chai';
import { renderReport } from '../../src/cli/import-report.ts';

describe('the report of an import', () => {
  const report = { file: 'users.csv', dryRun: false, problems: [] };
  const problem = { seq: 2, line: 3, fields: { email: 'It is no address.' } };

  it('counts one as one', () => {
    expect(renderReport({ ...report, rows: 1, created: 1 })).to.equal(
      'users.csv: 1 row, 1 account was made, 0 rows were left out.',
    );
    expect(renderReport({ ...report, dryRun: true, rows: 2, created: 1, problems: [problem] })).to.match(
      /^users\.csv: 2 rows, 1 account would be made, 1 row was left out\.\n {2}line 3 /,
    );
  });
});
