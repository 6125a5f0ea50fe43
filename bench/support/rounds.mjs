/**
 * Listens to the requests of a page to one origin, its preflights too. `stop()` gives those since the page was last loaded:
 * `{ requests, roundTrips }`, the latter being how many had to follow each other.
 */
export async function watchRequests(page, origin) {
  const session = await page.context().newCDPSession(page);
  const seen = new Map();
  const closed = ({ requestId, timestamp }) => {
    const one = seen.get(requestId);
    if (one) one.end = timestamp;
  };
  session.on("Network.requestWillBeSent", (event) => {
    const { requestId, timestamp, type, request } = event;
    if (type === "Document") seen.clear();
    else if (request.url.startsWith(origin))
      seen.set(requestId, {
        begin: timestamp,
        url: request.url,
        // The type is told only with the response.
        preflight: request.method === "OPTIONS",
      });
  });
  session.on("Network.responseReceived", closed);
  session.on("Network.loadingFinished", closed);
  session.on("Network.loadingFailed", closed);
  await session.send("Network.enable");
  return {
    async stop() {
      await session.detach();
      const all = [...seen.values()];
      return { requests: all.length, roundTrips: longestChain(all) };
    },
  };
}

/** A request whose preflight had to come first is two. */
export function longestChain(all) {
  const chain = all
    .filter(({ preflight }) => !preflight)
    .map((one) => ({
      ...one,
      own: all.some(({ preflight, url }) => preflight && url === one.url)
        ? 2
        : 1,
    }))
    .sort((a, b) => a.begin - b.begin);
  for (const one of chain) {
    const before = chain.filter(({ end, depth }) => depth && end <= one.begin);
    one.depth = one.own + Math.max(0, ...before.map(({ depth }) => depth));
  }
  return Math.max(0, ...chain.map(({ depth }) => depth));
}
