import { randomUUID } from 'node:crypto';
import { reasonOf } from '../shared/errors.ts';
import type { Logger } from '../shared/logger.ts';
import type { Attributes, FinishedSpan } from './tracer.ts';

/** Sends spans to an OTLP/HTTP receiver. Nothing waits for it, and what it cannot send in time is dropped. */
export interface OtlpExporter extends AsyncDisposable {
  add(span: FinishedSpan): void;
  /** Sends what is there now. */
  flush(): Promise<void>;
  /** Spans that were never sent. */
  readonly dropped: number;
}

interface Options {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly version: string;
  readonly logger: Logger;
}

const limits = { waiting: 4_096, batch: 512, everyMilliseconds: 2_000, patience: 5_000, goodbye: 2_000, quiet: 60_000 };

// OTLP enumerations: SpanKind INTERNAL, SERVER and CLIENT, StatusCode ERROR.
const kinds = { internal: 1, server: 2, client: 3 } as const;
const errorStatus = { code: 2 };

const nanoseconds = (milliseconds: number): string => `${Math.round(milliseconds * 1000)}000`;

const attributesOf = (attributes: Attributes) =>
  Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value },
  }));

const spanOf = ({ kind, start, end, attributes, failed, ...span }: FinishedSpan) => ({
  ...span,
  kind: kinds[kind],
  startTimeUnixNano: nanoseconds(start),
  endTimeUnixNano: nanoseconds(end),
  attributes: attributesOf(attributes),
  ...(failed && { status: errorStatus }),
});

/**
 * Exports in the JSON form of OTLP 1.x. By hand, because the SDK is a dozen packages for what is one document here; and
 * nothing of it runs unless it was configured.
 */
export function createOtlpExporter({ url, headers, version, logger }: Options): OtlpExporter {
  const resource = attributesOf({
    'service.name': 'sallyport',
    'service.version': version,
    'service.instance.id': randomUUID(),
  });
  let waiting: FinishedSpan[] = [];
  let dropped = 0;
  let complainedAt = Number.NEGATIVE_INFINITY;
  let sending: Promise<void> = Promise.resolve();

  const post = async (spans: readonly FinishedSpan[], milliseconds: number): Promise<void> => {
    const scopeSpans = [{ scope: { name: 'sallyport', version }, spans: spans.map(spanOf) }];
    const answer = await fetch(url, {
      method: 'POST',
      redirect: 'error',
      signal: AbortSignal.timeout(milliseconds),
      headers: { ...headers, 'content-type': 'application/json', 'user-agent': 'Sallyport' },
      body: JSON.stringify({ resourceSpans: [{ resource: { attributes: resource }, scopeSpans }] }),
    });
    await answer.body?.cancel().catch(() => undefined);
    if (!answer.ok) throw new Error(`The receiver answered ${answer.status}.`);
  };

  const complain = (error: unknown, spans: number): void => {
    dropped += spans;
    if (performance.now() - complainedAt < limits.quiet) return;
    complainedAt = performance.now();
    logger.warn({ reason: reasonOf(error), spans }, 'traces could not be sent and are dropped');
  };

  const send = async (milliseconds: number): Promise<void> => {
    while (waiting.length > 0) {
      const spans = waiting.slice(0, limits.batch);
      waiting = waiting.slice(limits.batch);
      await post(spans, milliseconds).catch((error: unknown) => complain(error, spans.length));
    }
  };
  const flush = (milliseconds = limits.patience): Promise<void> => {
    sending = sending.then(() => send(milliseconds));
    return sending;
  };
  const timer = setInterval(() => void flush(), limits.everyMilliseconds).unref();

  return {
    get dropped() {
      return dropped;
    },
    add(span) {
      if (waiting.length >= limits.waiting) dropped += 1;
      else waiting.push(span);
    },
    flush: () => flush(),
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      let late: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => {
        late = setTimeout(resolve, limits.goodbye);
      });
      await Promise.race([flush(limits.goodbye), patience]);
      clearTimeout(late);
    },
  };
}
