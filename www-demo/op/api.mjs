import { createServer } from "node:http";

/**
 * Starts a small API that wants an access token, on an origin of its own.
 *
 * `GET /me` says what the token says, `POST /echo` returns the JSON it was sent.
 * `introspect(token)` is the provider's, asked in-process. A token that was given for another API (RFC 8707 §2) is
 * refused; this one is named by its URL.
 */
export async function startApi({
  port = 0,
  introspect,
  appOrigins = [],
  log = () => {},
}) {
  const origins = new Set(appOrigins);
  const requests = [];

  const server = createServer((req, res) => {
    handle(req, res).catch(() => send(res, 500, { error: "server_error" }));
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const url = `http://127.0.0.1:${server.address().port}`;

  async function handle(req, res) {
    allowOrigin(req, res);
    if (req.method === "OPTIONS") return send(res, 204);

    const { pathname } = new URL(req.url, url);
    const entry = { method: req.method, path: pathname, status: null };
    requests.push(entry);
    res.once("finish", () => {
      entry.status = res.statusCode;
      log(`${req.method} ${pathname} ${res.statusCode}`);
    });

    const token = /^Bearer +(\S+)$/i.exec(req.headers.authorization ?? "")?.[1];
    if (token === undefined) return challenge(res, "Bearer");
    const granted = await introspect(token);
    if (!granted || (granted.aud ?? url) !== url) {
      return challenge(
        res,
        'Bearer error="invalid_token", error_description="The access token is expired, revoked, unknown or for another API"',
      );
    }

    const call = `${req.method} ${pathname}`;
    if (call === "GET /me") return send(res, 200, me(granted));
    if (call === "POST /echo") {
      return send(res, 200, {
        sub: granted.sub,
        body: JSON.parse(await readBody(req)),
      });
    }
    return send(res, 404, { error: "not_found" });
  }

  function allowOrigin(req, res) {
    res.setHeader("vary", "Origin");
    res.setHeader("timing-allow-origin", "*");
    const { origin } = req.headers;
    if (!origins.has(origin)) return;
    res.setHeader("access-control-allow-origin", origin);
    res.setHeader("access-control-allow-methods", "GET, POST");
    res.setHeader(
      "access-control-allow-headers",
      "Authorization, Content-Type",
    );
    res.setHeader("access-control-expose-headers", "WWW-Authenticate");
    res.setHeader("access-control-max-age", "600");
  }

  return {
    url,
    /** `{ method, path, status }` in order of arrival, without preflights. */
    requests,
    /** Lets another page call. */
    allow(origin) {
      origins.add(origin);
    },
    async close() {
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
    },
  };
}

function me({ sub, name, email, scope, exp }) {
  return {
    greeting: `Hello, ${name}.`,
    sub,
    email,
    scope,
    token_expires_at: new Date(exp * 1000).toISOString(),
  };
}

// RFC 6750 §3.1: a request without a token is told the scheme and no error.
function challenge(res, value) {
  res.setHeader("www-authenticate", value);
  send(res, 401, { error: "unauthorized" });
}

function send(res, status, body) {
  res.statusCode = status;
  res.setHeader("cache-control", "no-store");
  if (body === undefined) return res.end();
  res.setHeader("content-type", "application/json");
  return res.end(JSON.stringify(body));
}

async function readBody(req) {
  let body = "";
  for await (const chunk of req) body += chunk;
  return body;
}
