// What every one of the four refuses: each beside what it takes, which differs in one thing.

import assert from "node:assert/strict";
import { test } from "node:test";
import { app, visitor } from "./visitor.mjs";

/**
 * `start()` gives the running emulation; `refused` has, by kind, `{ status, error }` as this system says it; `login` is
 * what a request that gets a refresh token asks for; `secret` is added to token requests where one is needed;
 * `takesJson` where a token request may be JSON, too.
 */
export function refusals({
  name,
  server,
  paths,
  refused,
  login,
  clientId,
  secret = {},
  takesJson = false,
}) {
  const fresh = () => visitor(server(), paths, clientId);
  const code = async (one) => (await one.authorize(login)).response.code;
  const is = ({ status, body }, kind) => {
    const expected = refused[kind];
    assert.equal(status, expected.status, JSON.stringify(body));
    assert.deepEqual(body.error, expected.error);
  };
  const taken = ({ status, body }) => {
    assert.equal(status, 200, JSON.stringify(body));
    assert.equal(typeof body.access_token, "string");
  };

  test(`${name} refuses a code with another verifier, with none, and with one that is too short`, async () => {
    for (const code_verifier of ["A".repeat(43), undefined, "short"]) {
      const one = fresh();
      is(
        await one.trade(await code(one), { code_verifier, ...secret }),
        "code",
      );
    }
    const one = fresh();
    taken(await one.trade(await code(one), secret));
  });

  test(`${name} refuses a code that was used, and takes back what it gave`, async () => {
    const one = fresh();
    const used = await code(one);
    const { body } = await one.trade(used, secret);
    assert.ok(server().control.introspect(body.access_token));
    is(await one.trade(used, secret), "code");
    assert.equal(server().control.introspect(body.access_token), null);
  });

  test(`${name} refuses a code that it never gave, and another client's`, async () => {
    const one = fresh();
    is(await one.trade("never", secret), "code");
    const other = { client_id: "other", ...(secret.client_secret && secret) };
    server().control.setClient({ ...other, redirect_uris: [app] });
    is(
      await one.trade(await code(one), { ...secret, client_id: "other" }),
      "code",
    );
  });

  test(`${name} refuses a code with another redirect_uri than the request had, or with none`, async () => {
    for (const redirect_uri of [`${app}/`, undefined]) {
      const one = fresh();
      is(
        await one.trade(await code(one), { redirect_uri, ...secret }),
        "redirect",
      );
    }
  });

  test(`${name} refuses a redirect_uri that is not exactly the registered one, without going there`, async () => {
    for (const redirect_uri of [
      `${app}/`,
      `${app}?x`,
      app.toUpperCase(),
      "https://evil.example/",
      undefined,
    ]) {
      const { status, page, location } = await fresh().authorize({
        redirect_uri,
      });
      assert.equal(location, undefined, redirect_uri);
      assert.ok(status >= 400 && page.includes(refused.page), page);
    }
    assert.ok((await fresh().authorize(login)).response.code);
  });

  test(`${name} refuses a client that it does not know`, async () => {
    const one = fresh();
    const { status, page } = await one.authorize({ client_id: "nobody" });
    assert.ok(status >= 400 && page);
    is(
      await one.trade(await code(one), { ...secret, client_id: "nobody" }),
      "client",
    );
  });

  test(`${name} refuses a request without a code_challenge from a public client, and other response types`, async () => {
    const none = {
      code_challenge: undefined,
      code_challenge_method: undefined,
    };
    if (!secret.client_secret) {
      const { response } = await fresh().authorize(none);
      assert.equal(response.error, "invalid_request");
      assert.equal(response.state, "s1");
    }
    for (const response_type of ["token", "id_token", "code token"]) {
      const { response } = await fresh().authorize({ response_type });
      assert.equal(response.error, "unsupported_response_type");
    }
  });

  test(`${name} refuses a parameter of a request that stands there twice, and response modes of which countersign has no use`, async () => {
    for (const change of [
      { login_hint: ["alice", "alice"] },
      { response_mode: "form_post" },
      { response_mode: "web_message" },
    ]) {
      const { response } = await fresh().authorize({ ...login, ...change });
      assert.deepEqual(
        [response.error, response.state],
        ["invalid_request", "s1"],
      );
    }
    for (const response_mode of ["query", "fragment"]) {
      const once = { ...login, login_hint: "alice", response_mode };
      assert.ok((await fresh().authorize(once)).response.code);
    }
  });

  test(`${name} refuses a wrong password, and a user who does not want`, async () => {
    const wrong = await fresh().authorize({}, ["alice", "looking-glass"]);
    assert.equal(wrong.status, 401);
    const one = fresh();
    const { location } = await one.authorize({}, null);
    const cancelled = await one.go(`${location}/cancel`, { method: "POST" });
    const { searchParams } = new URL(cancelled.headers.get("location"));
    assert.equal(searchParams.get("error"), "access_denied");
    assert.equal(searchParams.get("state"), "s1");
  });

  test(`${name} refuses a refresh token that it does not know, another client's, and one that was revoked`, async () => {
    const one = fresh();
    is(await one.refresh("never", secret), "refresh");
    const { refresh_token } = await one.signIn(login, secret);
    server().control.setClient({
      client_id: "third",
      ...secret,
      redirect_uris: [app],
    });
    is(
      await one.refresh(refresh_token, { ...secret, client_id: "third" }),
      "refresh",
    );
    taken(await one.refresh(refresh_token, secret));
    server().control.revokeGrants();
    is(await one.refresh(refresh_token, secret), "refresh");
  });

  test(`${name} refuses a refresh token whose time is over`, async () => {
    const { settings } = server().control;
    const { refreshTokenTtl } = settings;
    const one = fresh();
    settings.refreshTokenTtl = 0;
    const { refresh_token } = await one.signIn(login, secret);
    settings.refreshTokenTtl = refreshTokenTtl;
    is(await one.refresh(refresh_token, secret), "refresh");
  });

  test(`${name} refuses a wider scope than was granted`, async () => {
    const one = fresh();
    const { refresh_token } = await one.signIn(login, secret);
    is(
      await one.refresh(refresh_token, { ...secret, scope: "everything" }),
      "scope",
    );
    const narrow = login.scope?.split(" ")[0];
    taken(await one.refresh(refresh_token, { ...secret, scope: narrow }));
  });

  const other = takesJson ? "text" : "JSON";
  test(`${name} refuses every other grant, ${other}, and a parameter that stands there twice`, async () => {
    const one = fresh();
    for (const grant_type of [
      "password",
      "urn:ietf:params:oauth:grant-type:jwt-bearer",
      undefined,
    ])
      is(
        await one.token({
          client_id: clientId ?? "spa",
          ...secret,
          grant_type,
          username: "alice",
          password: "wonderland",
        }),
        "grant",
      );
    const fields = {
      grant_type: "authorization_code",
      client_id: clientId ?? "spa",
      ...secret,
    };
    for (const type of ["text/plain", "application/json"]) {
      const more = {
        code: await code(one),
        redirect_uri: app,
        code_verifier: one.verifier,
      };
      const { status } = await one.go(paths.token, {
        method: "POST",
        headers: { "content-type": type },
        body: JSON.stringify({ ...fields, ...more }),
      });
      assert.equal(
        status,
        takesJson && type === "application/json" ? 200 : 400,
        type,
      );
    }
    const twice = await one.go(paths.token, {
      method: "POST",
      body: new URLSearchParams([
        ...["code", "code"].map((name) => [name, "x"]),
        ["client_id", "spa"],
      ]),
    });
    assert.equal(twice.status, 400);
  });

  test(`${name} knows an access token that it gave, and no other, and not for ever`, async () => {
    const { control } = server();
    const { access_token } = await fresh().signIn(login, secret);
    assert.equal(control.introspect(access_token).sub, "alice");
    assert.equal(control.introspect(`${access_token}x`), null);
    const { accessTokenTtl } = control.settings;
    control.settings.accessTokenTtl = 0;
    const over = await fresh().signIn(login, secret);
    control.settings.accessTokenTtl = accessTokenTtl;
    assert.equal(control.introspect(over.access_token), null);
  });
}

/** Where the system rotates: a second use of a refresh token ends the family. */
export function rotation({
  name,
  server,
  paths,
  refused,
  login,
  clientId,
  secret = {},
}) {
  test(`${name} rotates refresh tokens, and a second use of one ends the family`, async () => {
    const one = visitor(server(), paths, clientId);
    const first = await one.signIn(login, secret);
    const { body: second } = await one.refresh(first.refresh_token, secret);
    assert.notEqual(second.refresh_token, first.refresh_token);
    const { body: third } = await one.refresh(second.refresh_token, secret);
    const reused = await one.refresh(first.refresh_token, secret);
    assert.equal(reused.status, refused.refresh.status);
    const after = await one.refresh(third.refresh_token, secret);
    assert.equal(after.status, refused.refresh.status);
    assert.deepEqual(after.body.error, refused.refresh.error);
  });
}
