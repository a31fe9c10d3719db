import { closeTestDatabases } from './database.ts';

/** Root hooks of mocha: whatever a run opened is closed, so that the process ends by itself. */
export const mochaHooks = {
  async afterAll(): Promise<void> {
    await closeTestDatabases();
  },
};
