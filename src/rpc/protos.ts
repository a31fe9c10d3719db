import { join } from 'node:path';
import { loadPackageDefinition, type ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const includeDir = join(import.meta.dirname, '..', '..', 'proto');

const files = [
  'sallyport/v1/token_service.proto',
  'envoy/service/auth/v3/external_auth.proto',
  'grpc/health/v1/health.proto',
  'grpc/reflection/v1/reflection.proto',
];

/** What the proto files define, read once. */
export function loadProtos() {
  const definition = loadSync(files, {
    includeDirs: [includeDir],
    longs: Number,
    enums: String,
    defaults: true,
    oneofs: true,
  });
  const loaded = loadPackageDefinition(definition);
  return {
    definition,
    /** The service of that full name. @throws Error when no file has it. */
    service(name: string): ServiceDefinition {
      const found = name.split('.').reduce<unknown>((at, part) => (at as Record<string, unknown>)?.[part], loaded);
      const service = (found as { service?: ServiceDefinition } | undefined)?.service;
      if (!service) throw new Error(`There is no service ${name} in the proto files.`);
      return service;
    },
  };
}

export type Protos = ReturnType<typeof loadProtos>;
