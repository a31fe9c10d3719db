// A node whose clock is ahead by as much as `sallyport doctor` calls ok.
const ahead = Number(process.env.CLOCK_AHEAD ?? 0);
const now = Date.now;
const Real = Date;
globalThis.Date = class extends Real {
  constructor(...given) {
    super(...(given.length === 0 ? [now() + ahead] : given));
  }
  static now() {
    return now() + ahead;
  }
};
