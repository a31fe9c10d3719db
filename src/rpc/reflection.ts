import { type ServerDuplexStream, status, type UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Protos } from './protos.ts';

interface ReflectionRequest {
  readonly fileByFilename?: string;
  readonly fileContainingSymbol?: string;
  readonly listServices?: string;
}

/** The first field of a FileDescriptorProto is its name: a tag, a length below 128, the text. */
const fileName = (file: Buffer): string => file.subarray(2, 2 + (file[1] ?? 0)).toString('utf8');

const failure = (code: status, message: string) => ({ errorResponse: { errorCode: code, errorMessage: message } });

/** `grpc.reflection.v1.ServerReflection`, for tools such as grpcurl: the proto files, as they were compiled. */
export function createReflection({ definition }: Protos, services: readonly string[]): UntypedServiceImplementation {
  const message = Object.values(definition).find((one) => 'fileDescriptorProtos' in one);
  const files = message && 'fileDescriptorProtos' in message ? (message.fileDescriptorProtos as Buffer[]) : [];
  const every = { fileDescriptorResponse: { fileDescriptorProto: files } };
  // `package.Service/Method` and `package.Message.Nested` are in the file of their package.
  const isKnown = (symbol: string): boolean =>
    Object.keys(definition).some((name) => symbol === name || symbol.startsWith(`${name}.`));

  const answer = (request: ReflectionRequest) => {
    if (request.listServices !== undefined) {
      return { listServicesResponse: { service: services.map((name) => ({ name })) } };
    }
    if (request.fileContainingSymbol !== undefined && isKnown(request.fileContainingSymbol)) return every;
    if (files.some((file) => fileName(file) === request.fileByFilename)) return every;
    return failure(status.NOT_FOUND, 'There is nothing of that name.');
  };

  return {
    serverReflectionInfo(call: ServerDuplexStream<ReflectionRequest, unknown>) {
      call.on('data', (request: ReflectionRequest) => {
        // A client that asks on and takes no answer is not listened to meanwhile.
        if (call.write({ validHost: '', originalRequest: request, ...answer(request) })) return;
        call.pause();
        call.once('drain', () => call.resume());
      });
      call.on('end', () => call.end());
      call.on('error', () => undefined);
    },
  };
}
