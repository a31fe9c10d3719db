import { z } from 'zod';
import { secondFactors } from './auth-direct.ts';

const text = (description: string) => z.string().meta({ description });

/** What a token endpoint answers. */
export const tokens = z
  .object({
    access_token: text('For the API that was asked for, a JWT (RFC 9068); else opaque, for userinfo.'),
    token_type: text('`Bearer`.'),
    expires_in: z.int().meta({ description: 'Seconds that the access token is good for.' }),
    scope: z.string().optional().meta({ description: 'What was granted.' }),
    id_token: z.string().optional().meta({ description: 'Who signed in, when and how; with the scope `openid`.' }),
    refresh_token: z.string().optional().meta({ description: 'For new tokens later. Each is used once.' }),
    device_token: z.string().optional().meta({
      description: 'To be sent when this person signs in here again; only to whoever sent one or asked for it.',
    }),
  })
  .meta({ id: 'DirectTokens', description: 'The tokens of a sign-in (RFC 6749 §5.1).' });

/** The second door is next. */
export const requiresCode = z
  .object({
    requires_2fa: z.literal(true),
    challenge_id: text('For `auth/login/2fa`. It is good for this client alone.'),
    methods: z.array(z.enum(secondFactors)).meta({ description: 'What opens it, the usual one first.' }),
    attempts_left: z.int().optional().meta({ description: 'Codes that may still be tried.' }),
    expires_in: z.int().meta({ description: 'Seconds until the sign-in has to start again.' }),
  })
  .meta({ id: 'RequiresSecondFactor', description: 'The password was right, and a second factor is needed.' });

/** Something that only pages can do. */
export const requiresAction = z
  .object({
    requires_action: text('What is to be done, for example `enroll_second_factor`.'),
    url: text('Open it in a browser. Afterwards, sign in again.'),
  })
  .meta({ id: 'RequiresAction', description: 'The password was right, and something has to be done in a browser.' });

export const tokensExample = {
  access_token: 'at_w8n4t6y2h9j3d7f5g1s0a2z4',
  token_type: 'Bearer',
  expires_in: 600,
  scope: 'openid',
  id_token: 'eyJhbGciOiJFUzI1NiJ9.eyJzdWIi',
  refresh_token: 'rt_b5x1c9v3m7k2q8w4e6r0t2y5',
};
