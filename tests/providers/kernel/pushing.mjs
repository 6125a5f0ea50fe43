// What a pushed authorization request is taken for, and what of it is refused (RFC 9126): in both systems that know it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { app, visitor } from "./visitor.mjs";

/** `refused` is what a wrong secret is told, `path` where requests are pushed. */
export function pushing({ name, server, paths, path, login, client, refused }) {
  const { client_id, client_secret } = client;
  const secret = { client_secret };
  const fresh = () => visitor(server(), paths, client_id);
  const start = async (fields = {}) => {
    const one = fresh();
    const asked = { ...one.request, ...login, ...secret, ...fields };
    return { one, pushed: await one.token(asked, { path }) };
  };
  const follow = (one, request_uri, id = client_id) => {
    const nothing = Object.keys(one.request).map((key) => [key, undefined]);
    const none = Object.fromEntries(nothing);
    return one.authorize({ ...none, client_id: id, request_uri });
  };

  test(`${name} takes a pushed request: 201 with a request_uri, which stands for it once`, async () => {
    const { one, pushed } = await start();
    assert.equal(pushed.status, 201);
    const { request_uri, expires_in } = pushed.body;
    assert.ok(request_uri.startsWith("urn:ietf:params:oauth:request_uri:"));
    assert.ok(expires_in > 0);
    const { response } = await follow(one, request_uri);
    assert.equal(response.state, "s1");
    assert.equal((await one.trade(response.code, secret)).status, 200);
    assert.equal((await follow(one, request_uri)).status, 400);
  });

  test(`${name} refuses a request_uri that it never gave, another client's, and one whose time is over`, async () => {
    const { one, pushed } = await start();
    const { request_uri } = pushed.body;
    assert.equal((await follow(one, `${request_uri}x`)).status, 400);
    server().control.setClient({ ...client, client_id: "stranger" });
    assert.equal((await follow(one, request_uri, "stranger")).status, 400);
    assert.ok((await follow(one, request_uri)).response.code);
    const { settings } = server().control;
    const { requestUriTtl } = settings;
    settings.requestUriTtl = 0;
    const late = await start();
    settings.requestUriTtl = requestUriTtl;
    assert.equal(
      (await follow(late.one, late.pushed.body.request_uri)).status,
      400,
    );
  });

  test(`${name} refuses to take a request with a wrong secret, a foreign redirect_uri, a request_uri or what it would refuse anyway`, async () => {
    for (const [fields, status, error] of [
      [{ client_secret: "wrong" }, refused.status, refused.error],
      [{ redirect_uri: `${app}/` }, 400, "invalid_request"],
      [{ request_uri: "urn:x" }, 400, "invalid_request"],
      [{ response_type: "token" }, 400, "unsupported_response_type"],
      [{ code_challenge: "short" }, 400, "invalid_request"],
    ]) {
      const { pushed } = await start(fields);
      assert.deepEqual([pushed.status, pushed.body.error], [status, error]);
    }
    assert.equal((await start()).pushed.status, 201);
  });
}
