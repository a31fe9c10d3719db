// The playground: a complete relying party on its own origin, to see each step of a flow. Development only.
// It knows the issuer by its public endpoints alone, like any app; it owns no tables and touches no domain.
// Needs openid-client, a development dependency, and loads it only when the playground starts.
export type { PlaygroundApi, PlaygroundClient, PlaygroundClients, PlaygroundOptions } from './options.ts';
export { type Playground, startPlayground } from './start-playground.ts';
