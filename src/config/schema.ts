import { z } from 'zod';
import { defaultDataDir } from './default-data-dir.ts';
import { limitVariables } from './limit-variables.ts';
import { operatorVariables } from './operator-variables.ts';
import { passwordVariables } from './password-variables.ts';
import { riskVariables } from './risk-variables.ts';
import { describe, flag, list, networks, seconds } from './variable.ts';

const originOf = (text: string): string | undefined => (URL.canParse(text) ? new URL(text).origin : undefined);

/** Every variable that Sallyport reads. Names that start with `SALLYPORT_` and are not here stop the start. */
export const configSchema = z.object({
  NODE_ENV: describe(
    z.enum(['development', 'production', 'test']).default('development'),
    'Development makes its own secrets and demo data, on loopback only. Production refuses both.',
  ),
  PORT: describe(z.coerce.number().int().min(0).max(65535).default(3000), 'Port of the public server.'),
  HOST: describe(
    z.string().optional(),
    'Address to listen on. Default: 127.0.0.1 in development, 0.0.0.0 in production. With one that is not loopback, development has no demo data and no /dev/mail.',
  ),
  DATABASE_URL: describe(
    z.url({ protocol: /^postgres(ql)?$/, error: 'Give postgres://user:password@host:5432/database' }).optional(),
    'PostgreSQL. Without it the embedded database in the data directory is used.',
    { secret: true },
  ),
  REDIS_URL: describe(
    z
      .url({ protocol: /^rediss?$/, error: 'Give redis://host:6379, or with TLS rediss://user:password@host:6379' })
      .optional(),
    'Redis for tokens, sessions and limits. Without it they live in SQL. For Redis Cluster, name one of its nodes and put `?cluster=true` at the end.',
    { secret: true },
  ),
  SALLYPORT_REDIS_TIMEOUT_MS: describe(
    z.coerce.number().int().min(50).max(5000).default(250),
    'Milliseconds that Redis may take for a command. After that the request gets 503; after five in a row nobody waits until it is back.',
  ),

  SALLYPORT_ISSUER: describe(
    z.url({ protocol: /^https?$/, error: 'Give a URL, for example https://id.example.com' }).optional(),
    'Public base URL. It is `iss` in every token and the start of every link. Default in development: http://localhost:PORT.',
  ),
  SALLYPORT_DATA_DIR: describe(
    z.string().default(defaultDataDir),
    'Directory of the embedded database, of development secrets and of the control socket.',
  ),
  SALLYPORT_SECRETS: describe(
    list.optional(),
    'Comma-separated secrets of 32 characters or more, newest first. They wrap signing keys and sign cookies. Make one with: openssl rand -base64 48',
    { secret: true },
  ),
  SALLYPORT_SMTP_URL: describe(
    z
      .url({ protocol: /^smtps?$/, error: 'Give smtp://user:password@host:587 or smtps://user:password@host:465' })
      .regex(/^smtps?:\/\/[^/?#]+\/?$/, 'Give a server without path and options')
      .optional(),
    'Mail server, smtp:// or smtps://[user:password@]host[:port]. With smtp:// TLS is required too, except on loopback. Without it mails wait in the database, and in development are shown at /dev/mail.',
    { secret: true },
  ),
  SALLYPORT_MAIL_FROM: describe(
    z
      .string()
      .regex(/^(?:[^<>"\p{C}]{1,100}\s<[^\s<>@,;:"]+@[a-z0-9.-]+>|[^\s<>@,;:"]+@[a-z0-9.-]+)$/iu, {
        error: 'Give an address, or Name <address>',
      })
      .optional(),
    'Sender of mails, for example Sallyport <no-reply@example.com>. Default: no-reply at the host of the issuer.',
  ),
  SALLYPORT_SMS_WEBHOOK_URL: describe(
    z
      .string()
      .regex(/^(?:https:\/\/[^\s@#]+|http:\/\/(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?(?:\/[^\s@#]*)?)$/i, {
        error: 'Give an https address without user, password and fragment',
      })
      .optional(),
    'SMS gateway, for what is to come: no part of Sallyport sends text messages yet, and no code goes by one. They will be posted to this address as signed JSON {type, timestamp, data: {id, to, kind, text}}; redirects are not followed.',
    { secret: true },
  ),
  SALLYPORT_SMS_WEBHOOK_SECRET: describe(
    z
      .string()
      .regex(/^(?:whsec_[A-Za-z0-9+/]{32,}={0,2}|(?!whsec_).{32,})$/, {
        error: 'Give whsec_ and 24 bytes or more as base64, or 32 characters or more',
      })
      .optional(),
    'What requests to the SMS gateway are signed with (Standard Webhooks, HMAC-SHA-256). Needed with SALLYPORT_SMS_WEBHOOK_URL.',
    { secret: true },
  ),
  ...operatorVariables,
  SALLYPORT_PASSKEY_ORIGINS: describe(
    list
      .default([])
      .refine((origins) => origins.every((origin) => /^https:[^*]+$/.test(origin) && originOf(origin) === origin), {
        error: 'Give https origins without a path, for example https://app.example.com',
      }),
    'Further origins that may use the passkeys of this server, for apps of yours with a sign-in page of their own. Published at /.well-known/webauthn; browsers honour five domains.',
  ),
  SALLYPORT_TRUSTED_PROXIES: describe(
    networks,
    'Addresses or CIDR ranges whose X-Forwarded-For and -Proto headers count. Default: none.',
  ),
  SALLYPORT_LOG_LEVEL: describe(
    z.enum(['debug', 'info', 'warn', 'error', 'silent']).default('info'),
    'Least severe level that is logged.',
  ),
  SALLYPORT_DATABASE_POOL: describe(
    z.coerce.number().int().min(1).max(200).default(10),
    'Connections to PostgreSQL per process.',
  ),
  SALLYPORT_AUTO_MIGRATE: describe(
    flag(true),
    'Bring the schema up to date at the start. Set false to run `sallyport migrate` yourself.',
  ),
  SALLYPORT_DEMO: describe(
    flag(true),
    'Seed demo clients, APIs and users at the first start. Development on loopback only: true does not start with a HOST, a gRPC host or an issuer that others can reach.',
  ),

  SALLYPORT_MANAGEMENT_PORT: describe(
    z.coerce.number().int().min(0).max(65535).default(9090),
    'Port of /livez, /readyz and /metrics.',
  ),
  SALLYPORT_MANAGEMENT_HOST: describe(
    z.string().default('127.0.0.1'),
    'Address of the management port. Keep it off the public network.',
  ),
  SALLYPORT_GRPC_PORT: describe(
    z.coerce.number().int().min(0).max(65535).optional(),
    'Port of the gRPC server: token service, Envoy ext_authz, health. Default: none, it is off.',
  ),
  SALLYPORT_GRPC_HOST: describe(z.string().default('127.0.0.1'), 'Address of the gRPC port.'),
  SALLYPORT_GRPC_TLS_CERT: describe(
    z.string().optional(),
    'File with the certificate chain of the gRPC server, PEM. Goes with SALLYPORT_GRPC_TLS_KEY.',
  ),
  SALLYPORT_GRPC_TLS_KEY: describe(z.string().optional(), 'File with the private key of that certificate, PEM.'),
  SALLYPORT_GRPC_TLS_CLIENT_CA: describe(
    z.string().optional(),
    'File with the certificate authorities of gRPC clients, PEM. With it every caller needs a certificate of theirs; its common name is the client id.',
  ),
  SALLYPORT_GRPC_PLAINTEXT: describe(
    flag(false),
    'Lets gRPC run without TLS on an address that is not loopback, in production. For a network that encrypts by itself.',
  ),
  SALLYPORT_GRPC_REFLECTION: describe(
    z.enum(['true', 'false']).optional(),
    'Lets tools ask the gRPC server for its services. Default: true, but false in production.',
  ),
  SALLYPORT_PLAYGROUND_PORT: describe(
    z.coerce.number().int().min(0).max(65535).default(3001),
    'Port of the playground, a complete relying party. Development only.',
  ),
  SALLYPORT_DRAIN_SECONDS: describe(
    z.coerce.number().int().min(0).max(300).default(2),
    'Seconds between failing /readyz and closing the listener at SIGTERM, for load balancers to notice.',
  ),

  SALLYPORT_ACCESS_TOKEN_SECONDS: describe(seconds(600), 'Life of an access token.'),
  SALLYPORT_REFRESH_TOKEN_SECONDS: describe(seconds(14 * 86400), 'Life of an unused refresh token.'),
  SALLYPORT_REFRESH_FAMILY_SECONDS: describe(seconds(90 * 86400), 'Longest life of a chain of rotated refresh tokens.'),
  SALLYPORT_REFRESH_RETRY_SECONDS: describe(
    z.coerce.number().int().min(0).max(60).default(10),
    'How long a client whose answer got lost may use a refresh token again, while its successor is unused. 0 is strict.',
  ),
  SALLYPORT_SESSION_SECONDS: describe(seconds(14 * 86400), 'Life of a browser session with "Keep me signed in".'),
  SALLYPORT_SESSION_IDLE_SECONDS: describe(
    z.coerce
      .number()
      .int()
      .min(0)
      .refine((value) => value === 0 || value >= 300, { error: 'Give 0, or 300 seconds or more' })
      .default(0),
    'A browser session ends after so long without use, 300 or more. 0: only at the end of its life.',
  ),
  SALLYPORT_SESSION_LIMIT: describe(
    z.coerce.number().int().min(0).max(1000).default(5),
    'Sessions that one account may have at once. 0: any number.',
  ),
  SALLYPORT_SESSION_LIMIT_POLICY: describe(
    z.enum(['end-oldest', 'refuse']).default('end-oldest'),
    'What a sign-in beyond that does: it ends the session that was used longest ago, or it is refused.',
  ),
  SALLYPORT_REMEMBER_DEVICE_DAYS: describe(
    z.coerce.number().int().min(0).max(90).default(0),
    'How long a browser may be remembered in the place of the second factor, 90 at most. 0: never.',
  ),
  SALLYPORT_EMAIL_STEP: describe(
    z.enum(['off', 'no-other-factor', 'alternative']).default('off'),
    'A mailed code as the second step, which never counts as a second factor: for nobody, for accounts that have nothing better, or for everybody as an alternative.',
  ),
  SALLYPORT_EMAIL_SIGN_IN: describe(
    z.enum(['off', 'code', 'link']).default('off'),
    'Whether people may sign in with a mailed code or link in the place of the password. It is one factor.',
  ),
  SALLYPORT_PASSKEY_OFFER_DAYS: describe(
    z.coerce.number().int().min(0).max(365).default(30),
    'Days until somebody who signed in with a password, in a browser they used before, is offered a passkey again. 0: never.',
  ),
  SALLYPORT_INTERACTION_SECONDS: describe(seconds(3600), 'How long a sign-in may stay open.'),
  SALLYPORT_CHALLENGE_SECONDS: describe(seconds(600), 'How long the second door waits after the first.'),
  SALLYPORT_FRESH_SIGN_IN_SECONDS: describe(
    z.coerce.number().int().min(120).default(600),
    'How old the sign-in behind a change of password, factors or address may be. Their pages are shown during its first half.',
  ),

  SALLYPORT_KEY_ROTATION_SECONDS: describe(seconds(30 * 86400), 'How often a new signing key takes over.'),
  SALLYPORT_KEY_PUBLISH_SECONDS: describe(
    seconds(86400),
    'How long a new key is in the JWKS before it signs. Not less than SALLYPORT_JWKS_MAX_AGE.',
  ),
  SALLYPORT_KEY_RETIRE_SECONDS: describe(
    seconds(30 * 86400),
    'How long a replaced key stays in the JWKS. Not less than the longest token life.',
  ),
  SALLYPORT_JWKS_MAX_AGE: describe(seconds(300), 'Seconds that clients may cache the JWKS and discovery.'),
  SALLYPORT_STATUS_LIST_TTL_SECONDS: describe(
    z.coerce.number().int().min(5).max(3600).default(60),
    'Seconds that services may use a copy of a status list, and so how long a revoked token may still pass where it is verified offline. Caches in between may add a quarter.',
  ),

  SALLYPORT_ARGON2_MEMORY_KIB: describe(
    z.coerce.number().int().min(7168).max(1048576).default(19456),
    'argon2id memory, KiB. Higher costs are applied at the next sign-in of each account.',
  ),
  SALLYPORT_ARGON2_PASSES: describe(z.coerce.number().int().min(1).max(20).default(2), 'argon2id passes.'),
  SALLYPORT_ARGON2_WORKERS: describe(
    z.coerce.number().int().min(1).max(64).optional(),
    'Passwords hashed at once. Default: the number of cores.',
  ),
  SALLYPORT_ARGON2_QUEUE: describe(
    z.coerce.number().int().min(1).max(10000).default(64),
    'Sign-ins that may wait for a hash; more get 503 with Retry-After.',
  ),

  SALLYPORT_REGISTRATION: describe(
    z.enum(['off', 'invite', 'open']).default('open'),
    'Who may make an account: nobody, whom an operator invited, or anybody with an address that they can confirm.',
  ),
  SALLYPORT_REGISTRATION_DOMAINS: describe(
    list.default([]),
    'Comma-separated domains of mail that may register, without their subdomains. Invitations are free of it. Default: all.',
  ),
  SALLYPORT_UNVERIFIED_DAYS: describe(
    z.coerce.number().int().min(1).max(365).default(7),
    'Days after which a registration whose address was never confirmed is removed and the address is free.',
  ),
  SALLYPORT_DELETION_DAYS: describe(
    z.coerce.number().int().min(1).max(3650).default(30),
    'Days that a deleted account can be restored. Then everything personal is removed and its names are free.',
  ),
  SALLYPORT_AUDIT_DAYS: describe(
    z.coerce.number().int().min(0).max(36500).default(400),
    'Days that events of the audit log are kept. 0: for ever.',
  ),

  ...passwordVariables,

  SALLYPORT_API_KEYS: describe(
    z.enum(['off', 'operators', 'everyone']).default('operators'),
    'Who may make API keys: nobody, and none is accepted; operators, for services and people; or everybody their own as well.',
  ),

  ...riskVariables,

  ...limitVariables,
});

/** The variables as they were parsed. */
export type Environment = z.infer<typeof configSchema>;
