import type { Context } from 'koa';
import { z } from 'zod';
import { type Accounts, toClaims } from '../../accounts/index.ts';
import type { Clients } from '../../clients/index.ts';
import { listOf, type TokenFacts } from '../../forward-auth/index.ts';
import type { ClientProof, ProtocolAnswer } from '../../oidc/index.ts';
import { asAccountId } from '../../shared/ids.ts';
import { clientFields, proofOf, refusalOf } from './auth-client.ts';
import { clientsOnly, type Operation, operation } from './operation.ts';
import { judge, reasonCodes } from './verify-rules.ts';

/** What the introspection endpoint says of a token to the client of this proof. */
export type AskProtocol = (ctx: Context, proof: ClientProof, token: string) => Promise<ProtocolAnswer>;

interface Needs {
  readonly ask: AskProtocol;
  readonly accounts: Pick<Accounts, 'find'>;
  readonly clients: Pick<Clients, 'find'>;
}

const names = (description: string) => z.array(z.string().min(1).max(200)).max(100).default([]).meta({ description });

const reason = z.object({
  code: z.enum(reasonCodes).meta({ description: 'Which of a closed set of reasons it is.' }),
  text: z.string().meta({ description: 'The same for a person.' }),
  missing: z.array(z.string()).optional().meta({ description: 'The scopes or permissions that it lacks.' }),
});

const verdict = z
  .object({
    active: z.boolean().meta({ description: 'Whether it is a good token, and the business of the client that asks.' }),
    allowed: z.boolean().meta({ description: 'Whether it is active and has all that was asked for.' }),
    reasons: z.array(reason).meta({ description: 'Why it is not allowed; empty when it is.' }),
    claims: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({ description: 'As the introspection endpoint has them.' }),
    scopes: z.array(z.string()),
    permissions: z.array(z.string()),
    user: z
      .looseObject({ id: z.string() })
      .optional()
      .meta({ description: 'The person, with the claims that the scopes of the token open.' }),
  })
  .meta({ id: 'Verdict', description: 'What a service has to know of a token.' });

/** The person of a token, with the claims that its scopes open; a machine has none. */
async function userOf({ accounts }: Needs, { sub, scope }: TokenFacts) {
  const account = typeof sub === 'string' ? await accounts.find(asAccountId(sub)) : undefined;
  if (!account) return undefined;
  const { sub: id, ...claims } = toClaims(account, listOf(scope));
  return { id, ...claims };
}

const description =
  'Is this token good, for this? One call answers what introspection, and a service’s own comparisons after it, would. ' +
  'The client proves itself as at the token endpoint, and hears of a token what it would hear there: its own tokens, those ' +
  'for the API that it serves, or all with the right to introspect. Whatever else it sends is inactive. API keys are taken ' +
  'as well.';

const body = z.strictObject({
  ...clientFields,
  token: z.string().min(1).max(8000).meta({ description: 'An access token, or an API key.' }),
  audience: z.string().min(1).max(512).optional().meta({ description: 'The API that it must be for.' }),
  scopes: names('Scopes that it must have, all of them.'),
  permissions: names('Permissions that it must have, all of them.'),
  acr: z.enum(['aal1', 'aal2']).optional().meta({ description: 'How strong the sign-in must have been, at least.' }),
  max_age: z
    .int()
    .min(0)
    .max(31_536_000)
    .optional()
    .meta({ description: 'Seconds that the sign-in may be old (RFC 9470).' }),
  jkt: z
    .string()
    .regex(/^[\w-]{43}$/, 'It is the SHA-256 thumbprint of a key, base64url.')
    .optional()
    .meta({
      description: 'Thumbprint of the key whose DPoP proof you checked. A token that is bound to a key needs it.',
    }),
});

const example = {
  active: true,
  allowed: false,
  reasons: [{ code: 'scope', text: 'It lacks a scope.', missing: ['notes:write'] }],
  claims: {
    sub: 'acc_7k2m9q4x1b8n5v3c6z0w2p4r',
    client_id: 'app_4m7q2x9b1k5n8v3c6z0w',
    aud: 'https://notes.example/',
    scope: 'notes:read',
    exp: 1_795_251_120,
  },
  scopes: ['notes:read'],
  permissions: [],
  user: { id: 'acc_7k2m9q4x1b8n5v3c6z0w2p4r' },
} as const satisfies z.input<typeof verdict>;

/** `POST auth/verify`. */
export const verifyOperations = (needs: Needs): readonly Operation[] => [
  operation({
    method: 'post',
    path: '/auth/verify',
    id: 'verifyToken',
    tag: 'Tokens',
    summary: 'Verify a token in one call',
    description,
    access: clientsOnly,
    body,
    example: { token: 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIi', audience: 'https://notes.example/', scopes: ['notes:write'] },
    refusals: { unauthenticated: 'The client is not who it says, or has nothing to prove it with.' },
    replies: {
      200: {
        description: 'The verdict, also for a token that is not good.',
        body: verdict,
        example: { ...example, reasons: example.reasons.map((one) => ({ ...one, missing: [...one.missing] })) },
      },
    },
    async handler({ ctx, body: given }) {
      const answer = await needs.ask(ctx, proofOf(ctx, given), given.token);
      if (answer.status !== 200) throw refusalOf(ctx, answer, 'The client is not who it says.');
      const { active, ...claims } = answer.body;
      // A refresh token is active for its client too, has no type, and is good for nothing at an API.
      const isActive = active === true && claims.token_type !== undefined;
      const reasons = judge({ ...answer.body, active: isActive }, given, Math.floor(Date.now() / 1000));
      const user = isActive ? await userOf(needs, claims) : undefined;
      ctx.set('Cache-Control', 'no-store');
      return {
        status: 200,
        body: {
          active: isActive,
          allowed: reasons.length === 0,
          reasons: reasons.map(({ missing, ...one }) => ({ ...one, ...(missing && { missing: [...missing] }) })),
          scopes: isActive ? listOf(claims.scope) : [],
          permissions: isActive ? listOf(claims.permissions) : [],
          ...(isActive && { claims }),
          ...(user && { user }),
        },
      };
    },
  }),
];
