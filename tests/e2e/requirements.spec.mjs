// Requirements that only a real engine can hold, by their row in docs/conformance.md.

import { once } from "node:events";
import { gzipSync } from "node:zlib";
import {
  begin,
  call,
  open,
  optionsFor,
  signIn,
  signInHere,
} from "../support/driver.mjs";
import { expect, quick, test } from "../support/fixtures.mjs";

test.use(quick);

test("TK2, T8: no redirect of the authorization server is followed, whatever its kind", async ({
  page,
  app,
  other,
  scripted,
}) => {
  const options = optionsFor(app, scripted, { timeout: 2 });
  await signIn(page, app, options);
  other.reset();
  for (const status of [301, 302, 303, 307, 308]) {
    const away = { status, headers: { location: `${other.url}/api/token` } };
    scripted.answerNext("token", away);
    const { error } = await signInHere(page, scripted);
    expect.soft(error, String(status)).toMatchObject({
      code: "network",
      details: { endpoint: "token" },
    });
  }
  expect(other.requests).toEqual([]);
  // Nor one within the server itself.
  scripted.answerNext("token", {
    status: 307,
    headers: { location: "/token" },
  });
  expect((await signInHere(page, scripted)).error.code).toBe("network");
  // The twin.
  expect((await signInHere(page, scripted)).value.state.error).toBeNull();
});

test("T8: answers that are huge, endless, packed, slow or no text end in a typed error, in time", async ({
  page,
  app,
  scripted,
}) => {
  // Many logins in a short time, all of the user's own doing.
  await page.addInitScript(() => {
    Object.defineProperty(navigator, "userActivation", {
      value: { isActive: true, hasBeenActive: true },
    });
  });

  const options = optionsFor(app, scripted, { timeout: 2 });
  await signIn(page, app, options);
  const json = { type: "application/json" };
  const problem = (problem) => ({
    code: "invalid_response",
    details: { endpoint: "token", status: 200, problem },
  });
  let written = 0;
  const endless = async (_, res) => {
    res.setHeader("content-type", "application/json");
    const piece = Buffer.alloc(1 << 20, " ");
    for (; !res.destroyed && written < 100; written += 1)
      if (!res.write(piece))
        await Promise.race([once(res, "drain"), once(res, "close")]);
    res.end();
    return null;
  };
  const dripping = (_, res) => {
    res.setHeader("content-type", "application/json");
    const timer = setInterval(() => res.write(" "), 100);
    res.once("close", () => clearInterval(timer));
    return null;
  };
  const bomb = gzipSync(Buffer.alloc(64 << 20, "["));
  expect(bomb.length).toBeLessThan(1 << 17);
  const packed = { headers: { "content-encoding": "gzip" }, text: bomb };
  for (const [name, answer, expected] of [
    ["a hundred megabytes", endless, problem("too_large")],
    ["a packed one", { ...json, ...packed }, problem("too_large")],
    ["a byte now and then", dripping, { code: "timeout" }],
    [
      "no UTF-8",
      { ...json, text: Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]) },
      problem("not_json"),
    ],
    ["a byte order mark", { ...json, text: "\ufeff{}" }, problem("not_json")],
    ["NaN", { ...json, text: '{"expires_in":NaN}' }, problem("not_json")],
    [
      "ten thousand levels",
      { ...json, text: "[".repeat(10_000) },
      problem("not_json"),
    ],
  ]) {
    scripted.answerNext("token", answer);
    const start = Date.now();
    const { error } = await signInHere(page, scripted);
    expect.soft(error, name).toMatchObject(expected);
    expect.soft(Date.now() - start, name).toBeLessThan(10_000);
  }
  // Most of it was never read.
  expect(written).toBeLessThan(50);
  expect((await signInHere(page, scripted)).value.state.error).toBeNull();
});

test("AR10, TK6: what an application sends and a server answers arrives letter by letter", async ({
  page,
  app,
  scripted,
}) => {
  const options = optionsFor(app, scripted);
  await open(page, app);
  await begin(page, options);
  const hard = "a b+c&d=e#f%é😀\u{10FFFF}\u0000\"'<>\\";
  const url = await page.evaluate(
    (loginHint) =>
      new Promise((navigate) => auth.login({ loginHint, navigate })),
    hard,
  );
  expect(new URL(url).searchParams.get("login_hint")).toBe(hard);
  for (const half of ["\ud800", "a\udfffb", "\ude00\ud83d"]) {
    const { error } = await call(page, "login", { loginHint: half });
    expect(error, JSON.stringify(half)).toMatchObject({
      code: "invalid_config",
      details: { option: "loginHint" },
    });
  }
  scripted.claimNext((claims) => ({ ...claims, name: hard, more: [hard] }));
  const { value } = await signInHere(page, scripted, { appState: hard });
  expect(value.state.user).toMatchObject({ name: hard, more: [hard] });
  expect(value.appState).toBe(hard);
});

test("TK11: a token of sixteen kilobytes is stored, and there after a reload", async ({
  page,
  app,
  scripted,
}) => {
  const options = optionsFor(app, scripted);
  await open(page, app);
  await begin(page, options);
  const long = `at-${"x".repeat(16 << 10)}`;
  scripted.editNext("token", (answer) => ({ ...answer, access_token: long }));
  expect((await signInHere(page, scripted)).value.state.status).toBe(
    "signedIn",
  );
  await open(page, app);
  expect((await begin(page, options)).status).toBe("signedIn");
  expect((await call(page, "getAccessToken")).value).toBe(long);
  await call(page, "preload");
  expect((await call(page, "getAccessToken")).value).toBe(long);
  const refreshed = await call(page, "getAccessToken", { forceRefresh: true });
  expect(refreshed.value.length).toBeLessThan(100);
});
