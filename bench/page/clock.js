// The clock of a page, which a driver can set ahead: the machine slept, the provider's time went on. Runs before everything else.
{
  const RealDate = Date;
  const clock = {
    /** Milliseconds by which this page's clock is ahead of the machine's. */
    ahead: 0,
    machine: () => RealDate.now(),
  };
  const now = () => RealDate.now() + clock.ahead;
  window.clock = clock;
  window.Date = new Proxy(RealDate, {
    construct: (target, args) =>
      args.length === 0 ? new target(now()) : new target(...args),
    apply: () => new RealDate(now()).toString(),
    get: (target, key) => (key === "now" ? now : Reflect.get(target, key)),
  });
}
