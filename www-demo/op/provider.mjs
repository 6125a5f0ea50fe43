import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { exportJWK, generateKeyPair, importJWK, SignJWT } from "jose";
// Not the package's front door, which warns on every start that Node 20 is old.
import { InvalidTarget } from "oidc-provider/lib/helpers/errors.js";
import { Provider } from "oidc-provider/lib/provider.js";

import { handleInteraction } from "./interaction.mjs";
import { errorPage, logoutPage, pagePolicy, signedOutPage } from "./pages.mjs";
import { createStore } from "./store.mjs";
import { createTraffic, routes } from "./traffic.mjs";
import { findUser } from "./users.mjs";

export { users } from "./users.mjs";

const assets = {
  "/assets/tokens.css": ["../tokens.css", "text/css"],
  "/assets/op.css": ["op.css", "text/css"],
  "/assets/logout.js": ["logout.js", "text/javascript"],
};

/**
 * Starts an OpenID provider on loopback: `oidc-provider` with public clients,
 * rotation of refresh tokens and a login page of our own. Several can run at once.
 *
 * Its issuer has no path, or `issuerPath`; `aliases` gives endpoints a second path, `{ "/oauth/token": "/token" }`;
 * with `credentials` pages of other origins may send its cookies.
 *
 * `control` is for tests and for the demo's own buttons; see `createControl`.
 */
export async function startProvider({
  port = 0,
  clients = [],
  ttl = {},
  rotate = true,
  appOrigins = [],
  issuerPath = "",
  aliases = {},
  credentials = false,
  delays,
  log,
} = {}) {
  const settings = {
    accessTokenTtl: ttl.accessToken ?? 300,
    idTokenTtl: ttl.idToken ?? 3600,
    refreshTokenTtl: ttl.refreshToken ?? 14 * 24 * 3600,
    rotate,
    refreshTokens: "asked",
    resources: new Map(),
  };
  const store = createStore();
  const traffic = createTraffic({ delays, log });
  const origins = new Set(appOrigins);
  let keys = await (made ??= generateKeys());
  let provider;

  const server = createServer((req, res) => {
    res.setHeader("timing-allow-origin", "*");
    if (credentials) allowCredentials(res);
    req.url = aliases[req.url] ?? req.url;
    traffic.pass(req, res, route).catch((error) => fail(res, error));
  });
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  const issuer = `http://127.0.0.1:${server.address().port}${issuerPath}`;

  const cookieKeys = [randomBytes(32).toString("base64url")];
  const build = () => {
    const built = new Provider(
      issuer,
      configuration({ settings, store, keys, origins, cookieKeys, issuer }),
    );
    built.silent = true;
    return built;
  };
  provider = build();
  for (const client of clients) await setClient(client);

  async function route(req, res) {
    const { pathname } = new URL(req.url, issuer);
    if (pathname in assets) return sendAsset(res, pathname);
    if (pathname.startsWith("/interaction/")) {
      return handleInteraction({ req, res, provider, origins });
    }
    if (pathname === routes.authorization) askForConsent(req);
    return provider.callback()(req, res);
  }

  async function setClient(metadata) {
    const client = {
      token_endpoint_auth_method: "none",
      response_types: ["code"],
      grant_types: ["authorization_code", "refresh_token"],
      application_type: "web",
      ...metadata,
    };
    for (const uri of client.redirect_uris ?? []) {
      origins.add(new URL(uri).origin);
    }
    store.entries("Client").set(client.client_id, client);
    // Asked for now, so that bad metadata fails here and not in a test's login.
    await provider.Client.find(client.client_id);
  }

  const control = createControl({
    settings,
    store,
    traffic,
    setClient,
    current: () => provider,
    keys: () => keys,
    async rotateKeys({ keepOld = true } = {}) {
      const fresh = await generateKeys();
      keys = keepOld ? [...fresh, ...keys] : fresh;
      provider = build();
    },
  });

  return {
    issuer,
    control,
    async close() {
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
    },
  };
}

function createControl({
  settings,
  store,
  traffic,
  setClient,
  current,
  keys,
  rotateKeys,
}) {
  return {
    /** Seconds, for the access tokens issued from now on. */
    setAccessTokenTtl(seconds) {
      settings.accessTokenTtl = seconds;
    },
    get accessTokenTtl() {
      return settings.accessTokenTtl;
    },
    setIdTokenTtl(seconds) {
      settings.idTokenTtl = seconds;
    },
    setRefreshTokenTtl(seconds) {
      settings.refreshTokenTtl = seconds;
    },
    setRotation(on) {
      settings.rotate = on;
    },
    /** `"asked"` (with `offline_access`), `"always"` or `"never"`. */
    setRefreshTokens(when) {
      settings.refreshTokens = when;
    },

    /**
     * Makes an API known that tokens can be asked for by `resource` (RFC 8707), and what may be done there; without
     * `scope` it is known no longer.
     */
    setResource(uri, scope) {
      if (scope === undefined) settings.resources.delete(uri);
      else settings.resources.set(uri, scope);
    },

    /** Adds a client, or replaces the one with this `client_id`. */
    setClient,

    /**
     * `{ endpoint, method, path, grantType, status, at, until }` in order of arrival, and `type` and `body` of what is sent
     * to the token and revocation endpoints; `status` 0 is an answer that never left, `fault` what `failNext` did to it.
     */
    requests: traffic.requests,
    /** The paths that were asked for leave, in order of arrival. */
    preflights: traffic.preflights,
    /** `count("token")`, `count("token", "refresh_token")`; preflights are not counted. */
    count: traffic.count,
    /** By endpoint, and for the token endpoint by grant type too: `{ token: 2, "token:refresh_token": 1, … }`. */
    get counters() {
      return traffic.counters;
    },
    resetCounters: traffic.resetCounters,
    /** What became of the refresh tokens; see `createStore`. */
    ledger: store.ledger,

    /** Milliseconds by which this endpoint's answers come later; the requests are handled at once. `"preflight"` is for those of all. */
    setDelay: traffic.setDelay,
    /**
     * What becomes of the next `times` requests to an endpoint:
     * a status number, `"html"`, `"empty"`, `"hang"` (no answer), `"reset"` (cut before handling),
     * `"lose"` (handled, answer cut), `{ status, type, body, headers, cors }`,
     * or a function that edits the provider's own JSON answer. `when(request)` says which requests it may befall.
     */
    failNext: traffic.failNext,
    clearFaults: traffic.clearFaults,

    /** New signing keys; without `keepOld` the JWK Set forgets the old ones. */
    rotateKeys,
    /** Signs claims with the present key, for answers made up by `failNext`. */
    async sign(claims, { alg = "RS256", header = {} } = {}) {
      const jwk = keys().find((key) => key.alg === alg);
      return new SignJWT(claims)
        .setProtectedHeader({ alg, kid: jwk.kid, ...header })
        .sign(await importJWK(jwk, alg));
    },

    /** What a token stands for, or `null` when it is unknown, expired or revoked. */
    async introspect(token) {
      const found = await current().AccessToken.find(token);
      if (!found) return null;
      const user = findUser(found.accountId);
      return {
        sub: found.accountId,
        client_id: found.clientId,
        scope: found.scope ?? "",
        aud: found.aud ?? null,
        iat: found.iat,
        exp: found.exp,
        name: user?.claims.name,
        email: user?.claims.email,
      };
    },
    /** Ends every grant (tokens and all), of one user or of everybody. */
    revokeGrants(sub) {
      for (const [id, grant] of store.entries("Grant")) {
        if (sub !== undefined && grant.accountId !== sub) continue;
        store.revokeGrant(id);
        store.entries("Grant").delete(id);
      }
    },
    /** Makes the provider's access tokens unknown; refresh tokens live on. */
    dropAccessTokens() {
      store.entries("AccessToken").clear();
    },
    /** Signs everybody out at the provider itself; their tokens live on. */
    dropSessions() {
      store.entries("Session").clear();
    },
  };
}

function configuration({ settings, store, keys, origins, cookieKeys, issuer }) {
  // Cookies know no ports: two providers on 127.0.0.1 must not share names.
  const { port } = new URL(issuer);
  const policy = () => pagePolicy(origins);
  return {
    adapter: store.adapter,
    jwks: { keys },
    routes,
    cookies: {
      keys: cookieKeys,
      names: {
        session: `op_session_${port}`,
        interaction: `op_interaction_${port}`,
        resume: `op_resume_${port}`,
      },
      short: { httpOnly: true, sameSite: "lax", signed: true },
      long: { httpOnly: true, sameSite: "lax", signed: true },
    },
    responseTypes: ["code"],
    clientAuthMethods: ["none"],
    // A token whose seconds are over is over: the demo shows them to the user.
    clockTolerance: 0,
    scopes: ["openid", "offline_access"],
    claims: {
      openid: ["sub"],
      profile: [
        "name",
        "given_name",
        "family_name",
        "preferred_username",
        "locale",
      ],
      email: ["email", "email_verified"],
    },
    // The specification moves these to userinfo; a page that greets its user wants them at once.
    conformIdTokenClaims: false,
    findAccount(_ctx, sub) {
      const user = findUser(sub);
      return user && { accountId: sub, claims: () => user.claims };
    },
    clientBasedCORS: (_ctx, origin) => origins.has(origin),
    rotateRefreshToken: () => settings.rotate,
    issueRefreshToken(_ctx, client, source) {
      if (!client.grantTypeAllowed("refresh_token")) return false;
      if (settings.refreshTokens === "always") return true;
      return (
        settings.refreshTokens === "asked" &&
        source.scopes.has("offline_access")
      );
    },
    expiresWithSession: () => false,
    ttl: {
      AccessToken: () => settings.accessTokenTtl,
      AuthorizationCode: 60,
      Grant: 14 * 24 * 3600,
      IdToken: () => settings.idTokenTtl,
      Interaction: 3600,
      RefreshToken: () => settings.refreshTokenTtl,
      Session: 24 * 3600,
    },
    interactions: {
      url: (_ctx, interaction) => `/interaction/${interaction.uid}`,
    },
    renderError(ctx, out) {
      ctx.type = "html";
      ctx.set("content-security-policy", policy());
      ctx.body = errorPage(out);
    },
    features: {
      devInteractions: { enabled: false },
      jwtUserinfo: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo(_ctx, uri) {
          const scope = settings.resources.get(uri);
          if (scope === undefined) throw new InvalidTarget();
          return {
            scope,
            audience: uri,
            accessTokenFormat: "opaque",
            accessTokenTTL: settings.accessTokenTtl,
          };
        },
      },
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) =>
          token.clientId === client.clientId,
      },
      rpInitiatedLogout: {
        enabled: true,
        logoutSource(ctx, form) {
          ctx.set("content-security-policy", policy());
          ctx.body = logoutPage(form);
        },
        postLogoutSuccessSource(ctx) {
          ctx.set("content-security-policy", policy());
          ctx.body = signedOutPage();
        },
      },
    },
  };
}

// Making keys takes long, and nobody asks whose they are: the providers of a process begin with the same.
let made;

async function generateKeys() {
  const generate = async (alg) => {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    const kid = `${alg.toLowerCase()}-${randomBytes(4).toString("hex")}`;
    return { ...(await exportJWK(privateKey)), kid, alg, use: "sig" };
  };
  const algs = ["RS256", "PS256", "ES256", "Ed25519"];
  return Promise.all(algs.map(generate));
}

/**
 * `oidc-provider` drops `offline_access` from a request without `prompt=consent`
 * (OIDC Core §11). Consent costs no click here, so a request that says nothing asks for it.
 */
function askForConsent(req) {
  const url = new URL(req.url, "http://provider.invalid");
  const { searchParams } = url;
  const scope = searchParams.get("scope") ?? "";
  if (!scope.split(" ").includes("offline_access")) return;
  const prompts = searchParams.getAll("prompt");
  if (prompts.length === 0) {
    req.url += "&prompt=consent";
  } else if (prompts.length === 1 && prompts[0] === "login") {
    searchParams.set("prompt", "login consent");
    req.url = `${url.pathname}${url.search}`;
  }
}

async function sendAsset(res, pathname) {
  const [file, type] = assets[pathname];
  res.setHeader("content-type", `${type}; charset=utf-8`);
  res.end(await readFile(new URL(file, import.meta.url)));
}

/** Says so last: `oidc-provider` says nothing about origins where somebody else did. */
function allowCredentials(res) {
  const writeHead = res.writeHead.bind(res);
  res.writeHead = (...head) => {
    res.setHeader("access-control-allow-credentials", "true");
    return writeHead(...head);
  };
}

function fail(res, error) {
  if (res.headersSent) return res.destroy();
  res.statusCode = 500;
  res.setHeader("content-type", "text/plain; charset=utf-8");
  return res.end(`The provider failed: ${error.message}\n`);
}
