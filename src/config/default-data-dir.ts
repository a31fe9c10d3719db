/** `SALLYPORT_DATA_DIR`, when it is not set. On its own, for those who need it before the rest of the configuration. */
export const defaultDataDir = './data';
