import { z } from 'zod';
import { describe, list, networks, seconds } from './variable.ts';

/** Variables about webhooks, alerts and traces. */
export const operatorVariables = {
  SALLYPORT_WEBHOOK_NETWORKS: describe(
    networks,
    'Addresses or CIDR ranges that webhooks may go to although they are not public, for receivers in your own network. In development all are open.',
  ),
  SALLYPORT_LOGOUT_NETWORKS: describe(
    networks,
    'Addresses or CIDR ranges where apps may be told of a logout although they are not public, for apps in your own network. In development all are open.',
  ),
  SALLYPORT_WEBHOOK_DISABLE_DAYS: describe(
    z.coerce.number().int().min(1).max(30).default(3),
    'A webhook that failed for so many days is disabled, which raises an alert.',
  ),
  SALLYPORT_ALERT_MAIL: describe(
    list.default([]).refine((all) => all.every((address) => /^[^\s<>@,;:"]+@[a-z0-9.-]+$/i.test(address)), {
      error: 'Give addresses, separated by commas',
    }),
    'Who is told by mail when something goes wrong with the whole installation. Alerts go to webhooks as well.',
  ),
  SALLYPORT_ALERT_FAILED_SIGN_INS: describe(
    z.coerce.number().int().min(0).default(200),
    'Failed sign-ins in five minutes that raise an alert. 0: never.',
  ),
  SALLYPORT_ALERT_LOCKOUTS: describe(
    z.coerce.number().int().min(0).default(20),
    'Accounts paused in five minutes that raise an alert. 0: never.',
  ),
  SALLYPORT_ALERT_TOKEN_REUSES: describe(
    z.coerce.number().int().min(0).default(3),
    'Refresh tokens and codes used twice in five minutes that raise an alert. 0: never.',
  ),
  SALLYPORT_ALERT_STUCK_SECONDS: describe(
    z.coerce.number().int().min(0).default(900),
    'How late a mail, a webhook or a change of signing keys may be before an alert. 0: never.',
  ),
  SALLYPORT_ALERT_THROTTLE_SECONDS: describe(
    seconds(3600),
    'Least time between two alerts of one rule. What goes on is told of again after a day.',
  ),
  SALLYPORT_OTLP_URL: describe(
    z.url({ protocol: /^https?$/, error: 'Give a URL, for example http://localhost:4318/v1/traces' }).optional(),
    'Where traces go: the full address of an OTLP/HTTP receiver that takes JSON, for example http://localhost:4318/v1/traces. Without it nothing is traced.',
  ),
  SALLYPORT_OTLP_HEADERS: describe(
    list
      .default([])
      .refine((all) => all.every((header) => /^[\w-]+=[\x20-\x7e]+$/.test(header)), { error: 'Give name=value' }),
    'Headers for that receiver, name=value, comma-separated.',
    { secret: true },
  ),
  SALLYPORT_TRACE_RATIO: describe(
    z.coerce.number().min(0).max(1).default(1),
    'Share of requests that are traced, 0 to 1. A trace that a trusted proxy began is traced as it says.',
  ),
  OTEL_EXPORTER_OTLP_ENDPOINT: describe(
    z.url({ protocol: /^https?$/, error: 'Give a URL, for example http://localhost:4318' }).optional(),
    'The same as OpenTelemetry names it, without /v1/traces. SALLYPORT_OTLP_URL goes before it.',
  ),
};
