import { login, loginSecondFactor } from './auth-login.ts';
import { mailCode, passkeyOptions } from './auth-second-factor.ts';
import type { SignInNeeds } from './auth-step.ts';
import { logout, refresh } from './auth-tokens.ts';
import type { Operation } from './operation.ts';

/** Sign-in by JSON, for clients that an operator marked for it. */
export const signInOperations = (needs: SignInNeeds): readonly Operation[] => [
  login(needs),
  loginSecondFactor(needs),
  mailCode(needs),
  passkeyOptions(needs),
  refresh(needs),
  logout(needs),
];
