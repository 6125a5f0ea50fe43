/** Paths by the names that countersign gives the endpoints. */
export const routes = {
  authorization: "/authorize",
  token: "/token",
  jwks: "/jwks",
  userinfo: "/userinfo",
  revocation: "/revoke",
  end_session: "/logout",
};

function endpointOf(pathname, routes) {
  if (pathname.startsWith("/.well-known/")) return "discovery";
  if (pathname.startsWith("/interaction/")) return "interaction";
  const found = Object.entries(routes).find(([, paths]) =>
    [paths]
      .flat()
      .map((path) => path.replace(/\/$/, ""))
      .some((path) => pathname === path || pathname.startsWith(`${path}/`)),
  );
  return found?.[0] ?? "other";
}

/**
 * Counts what arrives, and lets a test slow down or break the next answers.
 *
 * `handle(req, res)` is the real answer; it is only asked for when no fault stands in for it.
 */
export function createTraffic({
  delays = {},
  log = () => {},
  paths = routes,
} = {}) {
  const requests = [];
  const preflights = [];
  const waits = new Map(Object.entries(delays));
  const faults = [];
  let lastToken = Promise.resolve();

  const takeFault = (entry) => {
    const fault = faults.find(
      (one) => one.endpoint === entry.endpoint && one.when(entry),
    );
    if (!fault) return undefined;
    entry.fault = fault.how;
    fault.times -= 1;
    if (fault.times <= 0) faults.splice(faults.indexOf(fault), 1);
    return fault.how;
  };

  // Of two requests with one refresh token the second must find it used, as at
  // a server with a transaction; the provider's own steps would interleave.
  const inTurn = async (work) => {
    const before = lastToken;
    let done;
    lastToken = new Promise((resolve) => (done = resolve));
    try {
      await before;
      return await work();
    } finally {
      done();
    }
  };

  const answer = async (req, res, entry, handle) => {
    const how = takeFault(entry);
    if (how === "hang") return undefined;
    if (how === "reset") return req.socket.destroy();
    if (how === "lose") {
      res.end = () => req.socket.destroy();
    } else if (typeof how === "function") {
      editAnswer(res, how);
    } else if (how !== undefined) {
      return sendFault(req, res, how);
    }
    const work = () => handle(req, res);
    return entry.endpoint === "token" ? inTurn(work) : work();
  };

  return {
    async pass(req, res, handle) {
      const { pathname } = new URL(req.url, "http://provider.invalid");
      const endpoint = endpointOf(pathname, paths);
      if (req.method === "OPTIONS") {
        preflights.push(pathname);
        delayAnswer(res, waits.get("preflight") ?? 0);
        return handle(req, res);
      }

      const entry = {
        endpoint,
        method: req.method,
        path: pathname,
        grantType: null,
        status: null,
        at: Date.now(),
        until: null,
      };
      requests.push(entry);
      res.once("close", () => {
        entry.until = Date.now();
        entry.status = res.writableEnded ? res.statusCode : 0;
        const grant = entry.grantType ? ` ${entry.grantType}` : "";
        log(`${entry.method} ${pathname}${grant} ${entry.status || "lost"}`);
      });
      if (endpoint === "token" || endpoint === "revocation") {
        entry.type = req.headers["content-type"];
        entry.body = await peekBody(req);
        entry.grantType = grantTypeOf(req, entry.body);
      }

      if (req.destroyed) return undefined;
      delayAnswer(res, waits.get(endpoint) ?? 0);
      return answer(req, res, entry, handle);
    },

    requests,
    preflights,
    count(endpoint, grantType) {
      return requests.filter(
        (one) =>
          one.endpoint === endpoint &&
          (grantType === undefined || one.grantType === grantType),
      ).length;
    },
    get counters() {
      const counted = {};
      for (const { endpoint, grantType } of requests) {
        const keys = grantType
          ? [endpoint, `${endpoint}:${grantType}`]
          : [endpoint];
        for (const key of keys) counted[key] = (counted[key] ?? 0) + 1;
      }
      return counted;
    },
    resetCounters() {
      requests.length = 0;
      preflights.length = 0;
    },
    setDelay(endpoint, milliseconds) {
      waits.set(endpoint, milliseconds);
    },
    failNext(endpoint, how, times = 1, when = () => true) {
      faults.push({ endpoint, how, times, when });
    },
    clearFaults() {
      faults.length = 0;
    },
  };
}

function grantTypeOf(req, body) {
  if (!/json/.test(req.headers["content-type"] ?? ""))
    return new URLSearchParams(body).get("grant_type");
  try {
    return JSON.parse(body).grant_type ?? null;
  } catch {
    return null;
  }
}

/** Reads the body and puts it back for whoever handles the request. */
async function peekBody(req) {
  const expected = Number(req.headers["content-length"] ?? 0);
  const chunks = [];
  let received = 0;
  while (received < expected && !req.destroyed) {
    const chunk = req.read();
    if (chunk === null) {
      await new Promise((resolve) => {
        req.once("readable", resolve);
        req.once("close", resolve);
      });
      continue;
    }
    chunks.push(chunk);
    received += chunk.length;
  }
  const body = Buffer.concat(chunks);
  if (body.length > 0) req.unshift(body);
  return body.toString();
}

function sendFault(req, res, how) {
  const canned = {
    html: {
      status: 502,
      type: "text/html",
      body: "<!doctype html><title>Bad gateway</title><h1>Bad gateway</h1>",
    },
    empty: { status: 200, body: "" },
  };
  const {
    status = 200,
    type = "application/json",
    body = "",
    headers = {},
    cors = true,
  } = typeof how === "number"
    ? { status: how, body: { error: "server_error" } }
    : (canned[how] ?? how);

  res.statusCode = status;
  if (type) res.setHeader("content-type", type);
  if (cors && req.headers.origin) {
    res.setHeader("access-control-allow-origin", req.headers.origin);
  }
  for (const [name, value] of Object.entries(headers)) {
    res.setHeader(name, value);
  }
  res.end(typeof body === "string" ? body : JSON.stringify(body));
}

// The answer waits, not the work: a client that gives up in between has used
// up its refresh token all the same.
function delayAnswer(res, milliseconds) {
  if (milliseconds === 0) return;
  const end = res.end.bind(res);
  res.end = (...body) => {
    setTimeout(() => end(...body), milliseconds);
    return res;
  };
}

function editAnswer(res, edit) {
  const end = res.end.bind(res);
  res.end = (body) => {
    Promise.resolve(edit(JSON.parse(body.toString()))).then((edited) => {
      const text = JSON.stringify(edited);
      res.setHeader("content-length", Buffer.byteLength(text));
      end(text);
    });
    return res;
  };
}
