import { expect } from 'chai';
import type { AuditType } from '../../src/audit/index.ts';
import { activityTypes, activityWords } from '../../src/web/account-console/activity-texts.ts';
import { auditTexts, eventText } from '../../src/web/admin-console/audit-texts.ts';

describe('the words of the activity log', () => {
  const row = (
    type: AuditType,
    details?: Record<string, string | boolean>,
    outcome: 'success' | 'failure' = 'success',
  ) => ({
    type,
    outcome,
    ...(details && { details }),
  });

  it('exist for every event that a person sees, and leave out the works of the server', () => {
    for (const type of activityTypes) {
      const { text } = activityWords(row(type));
      expect(text, type)
        .to.match(/^[A-Z]/)
        .and.not.include('%');
      expect(activityWords(row(type), '%').text, type).to.be.a('string');
    }
    expect(activityTypes).to.include.members(['sign_in.succeeded', 'account.updated', 'grant.revoked']);
    for (const type of [
      'password.rehashed',
      'token.revoked',
      'key.signing',
      'client.created',
      'api.removed',
    ] as const) {
      expect(auditTexts).to.have.property(type);
      expect(activityTypes).to.not.include(type);
    }
  });

  it('name the app as it is called, whatever is in its name', () => {
    for (const name of ['$&', '$1', '%', '$`']) {
      expect(activityWords(row('consent.granted'), name).text).to.equal(`Access allowed to ${name}`);
    }
    expect(activityWords(row('account.updated'), 'App').text).to.equal('Profile changed');
  });

  it('tell a sign-out from an end by somebody else and from one by time', () => {
    const ended = (reason: string) => activityWords(row('session.ended', { reason })).text;
    expect(ended('signed-out')).to.equal('Signed out');
    expect(ended('idle')).to.include('without use');
    for (const reason of ['ended', 'ended-others', 'limit', 'toString', '__proto__']) {
      expect(ended(reason), reason).to.equal('A device was signed out');
    }
    expect(activityWords(row('session.ended')).text).to.equal('Signed out');
  });

  it('tell a first password from a change', () => {
    for (const words of [(event: ReturnType<typeof row>) => activityWords(event).text, eventText]) {
      expect(words(row('password.changed', { first: true }))).to.equal('Password set');
      for (const details of [{ first: false }, { first: 'true' }, undefined]) {
        expect(words(row('password.changed', details))).to.equal('Password changed');
      }
    }
  });

  it('say that something failed once, in the text or beside it', () => {
    expect(activityWords(row('sign_in.failed', undefined, 'failure')).failed).to.equal(false);
    expect(activityWords(row('backup_code.used', undefined, 'failure')).failed).to.equal(true);
    expect(activityWords(row('backup_code.used')).failed).to.equal(false);
  });
});
