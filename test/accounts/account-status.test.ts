import { expect } from 'chai';
import { type AccountStatus, type Move, moves, type Party, partyOf, startsOf } from '../../src/accounts/index.ts';
import { asAccountId } from '../../src/shared/ids.ts';

const statuses: readonly AccountStatus[] = ['active', 'unverified', 'suspended', 'locked', 'deleted'];
const parties: readonly Party[] = ['person', 'operator', 'server'];

/** The whole table once more, cell by cell: rows are moves, cells the statuses it may start from. */
const expected: Readonly<Record<Move, Readonly<Record<Party, string>>>> = {
  verify: { person: 'unverified', operator: 'unverified', server: '' },
  recover: { person: 'unverified locked', operator: '', server: '' },
  lock: { person: '', operator: 'active', server: 'active' },
  suspend: { person: '', operator: 'active unverified locked', server: 'active unverified locked' },
  enable: { person: '', operator: 'suspended locked', server: '' },
  delete: { person: 'active', operator: 'active unverified suspended locked', server: '' },
  restore: { person: '', operator: 'deleted', server: '' },
};

describe('account status', () => {
  for (const move of Object.keys(expected) as Move[]) {
    for (const party of parties) {
      it(`${move} by the ${party} starts from: ${expected[move][party] || 'nowhere'}`, () => {
        const starts = startsOf(move, party);
        expect(statuses.filter((status) => starts.includes(status)).sort()).to.deep.equal(
          expected[move][party].split(' ').filter(Boolean).sort(),
        );
      });
    }
  }

  it('has no move that is not in this table, and none from deleted but back', () => {
    expect(Object.keys(moves).sort()).to.deep.equal(Object.keys(expected).sort());
    for (const move of Object.keys(moves) as Move[]) {
      if (move !== 'restore') expect(moves[move].from, move).not.to.include('deleted');
    }
  });

  it('gives a stranger nothing at all', () => {
    for (const move of Object.keys(moves) as Move[]) expect(startsOf(move, undefined), move).to.deep.equal([]);
  });

  it('tells the person from everybody else by the id', () => {
    const id = asAccountId('acc_1');
    expect(partyOf({ kind: 'account', id: 'acc_1' }, id)).to.equal('person');
    expect(partyOf({ kind: 'account', id: 'acc_2' }, id)).to.equal('operator');
    expect(partyOf({ kind: 'client', id: 'acc_1' }, id)).to.equal('operator');
    expect(partyOf({ kind: 'operator' }, id)).to.equal('operator');
    expect(partyOf({ kind: 'system' }, id)).to.equal('server');
    expect(partyOf({ kind: 'stranger' }, id)).to.equal(undefined);
  });
});
