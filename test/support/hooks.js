import { closeTestDatabases } from './database.js';
// Mocha 12 drops rejections that nobody handles. Thrown from here they fail the test that runs.
process.on('unhandledRejection', (reason) => {
    throw reason;
});
/** Root hooks of mocha: whatever a run opened is closed, so that the process ends by itself. */
export const mochaHooks = {
    async afterAll() {
        await closeTestDatabases();
        const { closeBrowser } = await import('./browser.js');
        await closeBrowser();
    },
};
