/** Whether each suite is to run on all stores that are there, which takes half as long again; CI wants that. */
export const runsEverywhere = (): boolean => process.env.SALLYPORT_TEST_LANES === 'all';
