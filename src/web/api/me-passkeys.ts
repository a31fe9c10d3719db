import { z } from 'zod';
import { mostPasskeys, type Passkey } from '../../passkeys/index.ts';
import { AppError } from '../../shared/errors.ts';
import { bindingOf, contextOf, isoOf, type MeSurface } from './me-surface.ts';
import { type Operation, operation, person } from './operation.ts';

const tag = 'Passkeys';
const access = person('account:security', 'recent');
const purpose = 'passkey';
const missing = 'You have no such passkey; it may have been removed already.';
const name = z.string().max(200).meta({ description: 'What the person calls it, 60 characters at most.' });
const params = z.strictObject({ id: z.string().min(1).max(100).meta({ description: 'Which passkey.' }) });

const passkey = z
  .object({
    id: z.string(),
    name: z.string().meta({ description: 'What the person calls it.' }),
    provider: z.string().optional().meta({ description: 'Where it lives, by its own word.' }),
    synced: z.boolean().meta({ description: 'Whether it may be on several devices.' }),
    backed_up: z.boolean().meta({ description: 'Whether a copy of it exists now.' }),
    created_at: z.iso.datetime(),
    last_used_at: z.iso.datetime().optional().meta({ description: 'Absent before its first use.' }),
  })
  .meta({ id: 'Passkey', description: 'A key on a device of the person.' });

const example: z.input<typeof passkey> = {
  id: 'pky_2x9b1k5n8v3c6z0w',
  name: 'Phone',
  provider: 'iCloud Keychain',
  synced: true,
  backed_up: true,
  created_at: '2026-10-02T17:20:11.000Z',
  last_used_at: '2026-11-20T08:12:05.000Z',
};

/** Texts of the WebAuthn API; what else it says goes through as it is. */
const creation = z
  .looseObject({
    challenge: z.string(),
    rp: z.looseObject({ id: z.string().optional(), name: z.string() }),
    user: z.looseObject({ id: z.string(), name: z.string(), displayName: z.string() }),
    pubKeyCredParams: z.array(z.looseObject({ alg: z.int(), type: z.string() })),
  })
  .meta({
    id: 'PasskeyCreationOptions',
    description: 'For `PublicKeyCredential.parseCreationOptionsFromJSON` (WebAuthn L3 §5.4).',
  });

const response = z
  .looseObject({
    id: z.string().max(2048),
    rawId: z.string().max(2048),
    type: z.literal('public-key'),
    response: z.looseObject({ clientDataJSON: z.string().max(16_384), attestationObject: z.string().max(32_768) }),
  })
  .meta({ id: 'PasskeyResponse', description: '`toJSON()` of what the browser made (RegistrationResponseJSON).' });

const shown = (one: Passkey): z.input<typeof passkey> => ({
  id: one.id,
  name: one.name,
  provider: one.provider,
  synced: one.synced,
  backed_up: one.backedUp,
  created_at: isoOf(one.createdAt),
  ...(one.lastUsedAt !== undefined && { last_used_at: isoOf(one.lastUsedAt) }),
});

const list = ({ accountSettings }: MeSurface): Operation =>
  operation({
    method: 'get',
    path: '/me/passkeys',
    id: 'listMyPasskeys',
    tag,
    summary: 'List your passkeys',
    description: `The oldest first, ${mostPasskeys} at most.`,
    access: person('account:security'),
    replies: {
      200: {
        description: 'All of them.',
        body: z.object({ items: z.array(passkey) }),
        example: { items: [example] },
      },
    },
    async handler({ caller }) {
      const { passkeys } = await accountSettings.securityState(caller.account);
      return { status: 200, body: { items: passkeys.map(shown) } };
    },
  });

const begin = ({ accountSettings }: MeSurface): Operation =>
  operation({
    method: 'post',
    path: '/me/passkeys/options',
    id: 'beginPasskey',
    tag,
    summary: 'Start a passkey',
    description: 'What the browser makes a passkey from. It is good for one passkey and five minutes.',
    access,
    refusals: { conflict: `There are ${mostPasskeys} already, or this server has no name that passkeys can be for.` },
    replies: {
      200: {
        description: 'Options for `navigator.credentials.create`.',
        body: creation,
        example: {
          challenge: 'mVbJq0cXo3hYVxQm3m0c9Cq2yJr2o1m3',
          rp: { id: 'id.example', name: 'Sallyport' },
          user: { id: 'Zk3v8Qn1', name: 'mara', displayName: 'Mara Lindgren' },
          pubKeyCredParams: [{ alg: -7, type: 'public-key' }],
        },
      },
    },
    async handler({ caller }) {
      if (!(await accountSettings.securityState(caller.account)).passkeysUsable) {
        throw new AppError('conflict', 'Browsers make passkeys for names only, and this server has a bare address.');
      }
      const options = await accountSettings.beginPasskey(caller.account, bindingOf(caller, purpose));
      return { status: 200, body: options as unknown as z.input<typeof creation> };
    },
  });

const add = ({ accountSettings }: MeSurface): Operation =>
  operation({
    method: 'post',
    path: '/me/passkeys',
    id: 'addPasskey',
    tag,
    summary: 'Add a passkey',
    description: 'Takes what the browser made from the options, once.',
    access,
    body: z.strictObject({ name: name.optional(), response }),
    example: {
      name: 'Phone',
      response: {
        id: 'pG0V1k2',
        rawId: 'pG0V1k2',
        type: 'public-key',
        response: { clientDataJSON: 'eyJ0eXBlIjoid2ViYXV0aG4uY3JlYXRlIn0', attestationObject: 'o2NmbXRkbm9uZQ' },
      },
    },
    refusals: {
      conflict: `The passkey is there already, or there are ${mostPasskeys}.`,
      expired: 'The options were used already or are older than five minutes. Start again.',
      unprocessable: 'It is no passkey for this server and these options, or the name is not accepted.',
    },
    replies: { 201: { description: 'The passkey is added.', body: passkey, example } },
    async handler({ caller, body, meta }) {
      const input = { binding: bindingOf(caller, purpose), response: body.response, name: body.name };
      const made = await accountSettings.addPasskey(caller.account, input, contextOf(caller, meta));
      // It was shown just now: this session need not show it again.
      if (caller.by.kind === 'browser') await caller.by.renew({ secondFactor: made.synced ? 'swk' : 'hwk' });
      return { status: 201, body: shown(made) };
    },
  });

const rename = ({ accountSettings }: MeSurface): Operation =>
  operation({
    method: 'patch',
    path: '/me/passkeys/{id}',
    id: 'renamePasskey',
    tag,
    summary: 'Rename a passkey',
    access,
    params,
    body: z.strictObject({ name }),
    example: { name: 'Old phone' },
    refusals: { not_found: missing, unprocessable: 'The name is empty, too long, or has signs that cannot be seen.' },
    replies: { 200: { description: 'The passkey with its new name.', body: passkey, example } },
    async handler({ caller, params: { id }, body, meta }) {
      const input = { passkeyId: id, name: body.name };
      return {
        status: 200,
        body: shown(await accountSettings.renamePasskey(caller.account, input, contextOf(caller, meta))),
      };
    },
  });

const remove = ({ accountSettings }: MeSurface): Operation =>
  operation({
    method: 'delete',
    path: '/me/passkeys/{id}',
    id: 'removePasskey',
    tag,
    summary: 'Remove a passkey',
    access,
    params,
    refusals: { not_found: missing, conflict: 'It is the only way into the account.' },
    replies: { 204: { description: 'It opens nothing any more.' } },
    async handler({ caller, params: { id }, meta }) {
      await accountSettings.removePasskey(caller.account, id, contextOf(caller, meta));
      return { status: 204 };
    },
  });

/** The passkeys of a person. */
export const passkeyOperations = (surface: MeSurface): readonly Operation[] => [
  list(surface),
  begin(surface),
  add(surface),
  rename(surface),
  remove(surface),
];
