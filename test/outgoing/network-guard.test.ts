import { expect } from 'chai';
import fc from 'fast-check';
import { createNetworkGuard } from '../../src/outgoing/index.ts';

const variable = 'SALLYPORT_SOME_NETWORKS';
const production = createNetworkGuard({ variable, networks: [], anywhere: false });

describe('the network guard', () => {
  const closed = [
    ...['127.0.0.1', '127.255.1.2', '0.0.0.0', '10.0.0.1', '172.16.0.1', '172.31.255.255', '192.168.1.1'],
    ...[
      '169.254.169.254',
      '100.64.0.1',
      '100.100.100.200',
      '192.0.0.192',
      '198.18.0.1',
      '224.0.0.1',
      '255.255.255.255',
    ],
    ...['::', '::1', '[::1]', 'fe80::1', 'fe80::1%eth0', 'fd00:ec2::254', 'fc00::1', 'ff02::1', '64:ff9b::a00:1'],
    ...[
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '::ffff:a9fe:a9fe',
      '2002:7f00:1::1',
      '2001:db8::1',
      '2001::1',
      '::7f00:1',
    ],
  ];
  for (const address of closed) {
    it(`refuses ${address}`, () => {
      expect(production.allows(address)).to.equal(false);
    });
  }

  it('lets public addresses pass', () => {
    for (const address of ['1.1.1.1', '93.184.216.34', '172.32.0.1', '2606:4700::1111', '::ffff:1.1.1.1']) {
      expect(production.allows(address), address).to.equal(true);
    }
  });

  it('lets pass what is named, and nothing beside it', () => {
    const guard = createNetworkGuard({
      variable,
      networks: ['10.1.0.0/16', 'fd12::/16', '192.168.7.7'],
      anywhere: false,
    });
    for (const address of ['10.1.2.3', '::ffff:10.1.2.3', 'fd12::1', '192.168.7.7']) {
      expect(guard.allows(address), address).to.equal(true);
    }
    for (const address of ['10.2.0.1', 'fd13::1', '192.168.7.8', '169.254.169.254']) {
      expect(guard.allows(address), address).to.equal(false);
    }
  });

  it('says the same of an IPv4 address in each of its spellings', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }), ([a = 0, b = 0, c = 0, d = 0]) => {
        const hex = `::ffff:${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
        const plain = `${a}.${b}.${c}.${d}`;
        expect(production.allows(hex)).to.equal(production.allows(plain));
        expect(production.allows(`::ffff:${plain}`)).to.equal(production.allows(plain));
      }),
      { numRuns: 60 },
    );
  });

  it('takes no name and refuses what it cannot read', () => {
    expect(production.allows('localhost')).to.equal(false);
    expect(production.refusal).to.include(variable);
    for (const entry of ['10.0.0.0/33', 'example.com', '10.0.0.0/8/8', '']) {
      expect(() => createNetworkGuard({ variable, networks: [entry], anywhere: false }), entry).to.throw(
        RangeError,
        variable,
      );
    }
  });
});
