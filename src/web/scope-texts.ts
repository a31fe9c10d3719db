import type { ConsentScope } from './page-models.ts';

/** Standard scopes (OpenID Connect Core §5.4, §11) in the words of the consent page: "It will be able to …". */
export const scopeTexts: Readonly<Record<string, Pick<ConsentScope, 'icon' | 'text'>>> = {
  openid: { icon: 'seal', text: 'Recognise you when you come back' },
  profile: { icon: 'person', text: 'See your name, picture and profile' },
  email: { icon: 'mail', text: 'See your email address' },
  address: { icon: 'address', text: 'See your postal address' },
  phone: { icon: 'phone', text: 'See your phone number' },
  offline_access: { icon: 'clock', text: 'Keep this access while you are away, until you remove it' },
};

/** Those of the scopes that have words, in the order above: first who somebody is, last how long the access stays. */
export const textsOfScopes = (names: readonly string[]) =>
  Object.entries(scopeTexts).filter(([name]) => names.includes(name));
