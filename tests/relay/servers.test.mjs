import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { startPagero, startUpbond } from "../providers/index.mjs";
import { clientId, origin, redirectUri, secret, start } from "./support.mjs";

// The relay before the two systems that want a secret, as they are emulated in tests/providers.

const kinds = {
  Pagero: {
    start: startPagero,
    scope: "all",
    authorize: "/oauth/v2/oauth-authorize",
    options: (url) => ({
      tokenEndpoint: `${url}/oauth/v2/oauth-token`,
      revocationEndpoint: `${url}/oauth/v2/oauth-revoke`,
    }),
  },
  "UPBOND's classic flow": {
    start: startUpbond,
    scope: "openid offline_access",
    authorize: "/authorize",
    options: (url) => ({
      tokenEndpoint: `${url}/oauth/token`,
      revocationEndpoint: `${url}/oauth/revoke`,
      authMethod: "body",
      revocation: "json",
    }),
  },
};

for (const [name, kind] of Object.entries(kinds)) {
  let server;
  let relay;
  before(async () => {
    const client = { client_id: clientId, client_secret: secret };
    const redirect_uris = [redirectUri];
    server = await kind.start({ clients: [{ ...client, redirect_uris }] });
    relay = await start(kind.options(server.url));
  });
  after(() => Promise.all([relay.close(), server.close()]));

  test(`${name}: a code is traded, refreshed and revoked through the relay`, async () => {
    const first = await relay.post(await codeGrant(server.url, kind));
    assert.equal(first.status, 200);
    const { access_token, refresh_token } = first.json;
    assert.equal((await server.control.introspect(access_token)).sub, "alice");
    const refreshed = await relay.post(refreshGrant(refresh_token));
    assert.equal(refreshed.status, 200);
    assert.notEqual(refreshed.json.access_token, access_token);
    const token = refreshed.json.refresh_token ?? refresh_token;
    const path = "/oauth/revoke";
    const revoked = await relay.post({ token, client_id: clientId }, { path });
    assert.equal(revoked.status, 200);
    const refused = await relay.post(refreshGrant(token));
    assert.equal(refused.status, 400);
    assert.equal(refused.json.error, "invalid_grant");
  });

  test(`${name}: without the relay the same code is refused for want of the secret`, async () => {
    const grant = await codeGrant(server.url, kind);
    const { tokenEndpoint } = kind.options(server.url);
    const body = new URLSearchParams(grant);
    const direct = await fetch(tokenEndpoint, { method: "POST", body });
    assert.equal(direct.status, 401);
    assert.equal((await relay.post(grant)).status, 200);
  });

  test(`${name}: a code is nobody's without its verifier`, async () => {
    const grant = await codeGrant(server.url, kind);
    const stolen = { ...grant, code_verifier: "v".repeat(43) };
    const { status, json } = await relay.post(stolen);
    assert.equal(status, 400);
    assert.equal(json.error, "invalid_grant");
  });
}

test("UPBOND gives the client tokens of its own, and the relay does not ask for them", async (t) => {
  const kind = kinds["UPBOND's classic flow"];
  const client = { client_id: clientId, client_secret: secret };
  const server = await kind.start({ clients: [client] });
  const relay = await start(kind.options(server.url));
  t.after(() => Promise.all([relay.close(), server.close()]));
  const grant = { grant_type: "client_credentials" };
  const { tokenEndpoint } = kind.options(server.url);
  const body = new URLSearchParams({ ...grant, ...client });
  const direct = await fetch(tokenEndpoint, { method: "POST", body });
  assert.equal(direct.status, 200);
  assert.equal((await relay.post(grant)).status, 400);
  assert.equal(server.control.count("token"), 1);
});

const refreshGrant = (refresh_token) => ({
  ...{ grant_type: "refresh_token", client_id: clientId },
  refresh_token,
});

/** Signs alice in, as a browser would, and gives the request that trades the code. */
async function codeGrant(url, { authorize, scope }) {
  const code_verifier = randomBytes(32).toString("base64url");
  const hash = createHash("sha256").update(code_verifier);
  const to = new URL(authorize, url);
  to.search = new URLSearchParams({
    ...{ response_type: "code", client_id: clientId, scope, state: "s" },
    redirect_uri: redirectUri,
    code_challenge: hash.digest("base64url"),
    code_challenge_method: "S256",
  });
  const manual = { redirect: "manual" };
  const login = (await fetch(to, manual)).headers.get("location");
  const credentials = { login: "alice", password: "wonderland" };
  const answer = await fetch(`${new URL(login, url)}/login`, {
    ...manual,
    method: "POST",
    body: new URLSearchParams(credentials),
  });
  const back = new URL(answer.headers.get("location"));
  assert.equal(back.origin, origin);
  return {
    ...{ grant_type: "authorization_code", client_id: clientId },
    code: back.searchParams.get("code"),
    redirect_uri: redirectUri,
    code_verifier,
  };
}
