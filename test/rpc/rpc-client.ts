import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { loadProtos } from '../../src/rpc/protos.ts';

const protos = loadProtos();

/** What a call came to: the answer, or the name of the status and its text. */
export type Outcome = { readonly answer: Record<string, never> & Record<string, unknown> } | Refusal;

export interface Refusal {
  readonly code: string;
  readonly details: string;
  /** What came with the status, by name. */
  readonly trailers: Record<string, unknown>;
}

/** A gRPC client as services have one, with credentials for every call or none. */
export class RpcClient {
  readonly client: Client;
  readonly authorization: string | undefined;

  constructor(
    address: string,
    authorization?: string,
    security: ChannelCredentials = credentials.createInsecure(),
    options: ChannelOptions = {},
  ) {
    this.client = new Client(address, security, options);
    this.authorization = authorization;
  }

  call(
    method: string,
    request: unknown,
    {
      deadline = 10_000,
      authorization = this.authorization,
    }: { deadline?: number; authorization?: string | string[] } = {},
  ): Promise<Outcome> {
    const [service = '', name = ''] = method.split('/');
    const definition = protos.service(service)[name];
    if (!definition) throw new Error(`There is no ${method}.`);
    const metadata = new Metadata();
    for (const value of [authorization ?? []].flat()) metadata.add('authorization', value);
    return new Promise((resolve) => {
      this.client.makeUnaryRequest(
        definition.path,
        definition.requestSerialize,
        definition.responseDeserialize,
        request,
        metadata,
        { deadline: Date.now() + deadline },
        (error: ServiceError | null, answer?: unknown) =>
          resolve(
            error
              ? { code: status[error.code], details: error.details, trailers: error.metadata?.getMap() ?? {} }
              : { answer: answer as Record<string, never> & Record<string, unknown> },
          ),
      );
    });
  }

  [Symbol.dispose](): void {
    this.client.close();
  }
}

export const basic = (id: string, secret: string): string =>
  `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}`;

/** The answer. @throws Error with the status when there is none. */
export function answerOf(outcome: Outcome): Record<string, unknown> {
  if ('answer' in outcome) return outcome.answer;
  throw new Error(`${outcome.code}: ${outcome.details}`);
}

/** The name of the status. */
export const codeOf = (outcome: Outcome): string => ('code' in outcome ? outcome.code : 'OK');
