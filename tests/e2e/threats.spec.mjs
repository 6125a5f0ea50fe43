// Attacks, by their row in docs/conformance.md: what a script, a server, a URL or another page can try.

import { serve } from "../../www-demo/serve.mjs";
import { packageDirectory } from "../support/app.mjs";
import {
  begin,
  call,
  handle,
  open,
  optionsFor,
  requestUrl,
  returnFrom,
  sessionKey,
  signIn,
  signInHere,
  storedIn,
  storedSession,
} from "../support/driver.mjs";
import { expect, quick, test } from "../support/fixtures.mjs";
import { leakIn } from "../support/leaks.mjs";
import { secrets, startScripted } from "../support/scripted.mjs";
import { signed } from "../support/signing.mjs";

test.use(quick);

const state = (page) => page.evaluate(() => plain(auth.state));

test("T1, T33, RF7: no token and no memory hangs on anything that the package gives", async ({
  page,
  app,
  scripted,
}) => {
  await signIn(page, app, optionsFor(app, scripted));
  await call(page, "getAccessToken", { forceRefresh: true });
  scripted.answerNext("token", { status: 503, text: "" });
  await call(page, "getAccessToken", { forceRefresh: true });
  const [found, planted] = await page.evaluate(async () => {
    /** Every text within reach of a value, by its own members and those of its prototypes; nothing is called. */
    const texts = (value, seen = new Set()) => {
      if (typeof value === "string") return [value];
      if (typeof value === "symbol") return [String(value)];
      if (Object(value) !== value || seen.has(value)) return [];
      const kind = Object.prototype.toString.call(value);
      if (/Memory|ArrayBuffer/.test(kind)) return [kind];
      seen.add(value);
      const members = [];
      for (let at = value; at; at = Object.getPrototypeOf(at))
        for (const key of Reflect.ownKeys(at))
          try {
            // The driver's own frames are nobody's leak.
            const isStack = key === "stack" && value instanceof Error;
            members.push(key, isStack ? stackOf(value) : value[key]);
          } catch {
            // A getter of a prototype.
          }
      return members.flatMap((member) => texts(member, seen));
    };
    const cloned = (value) => {
      try {
        return structuredClone(value);
      } catch (error) {
        return String(error);
      }
    };
    const failed = await auth.login({ returnTo: "//evil" }).catch((e) => e);
    const reach = [
      auth,
      states,
      moments,
      { ...failed, stack: stackOf(failed) },
      String(failed),
      cloned(auth),
      cloned(auth.state),
      JSON.stringify(auth),
      JSON.stringify([auth.state, moments]),
      String(auth),
      Object.values(auth).map(String),
      createAuth,
      await loadCore(),
    ];
    const memory = new WebAssembly.Memory({ initial: 1 });
    const planted = texts({ a: [{ b: () => {} }, "x", { memory }] });
    return [texts(reach).join("\n"), planted];
  });
  expect(planted).toContain("x");
  expect(planted).toContain("[object WebAssembly.Memory]");
  expect(found.length).toBeGreaterThan(5000);
  expect(found).not.toMatch(/\[object (WebAssembly.Memory|ArrayBuffer)/);
  expect(leakIn(found, secrets)).toBeUndefined();
  // Nor is there a call that gives the refresh token.
  const methods = await page.evaluate(() => Object.keys(auth).sort());
  for (const name of methods) expect(name).not.toMatch(/refresh/i);
  const { record } = await storedSession(page, optionsFor(app, scripted));
  const given = await page.evaluate(async () => [
    await auth.getAccessToken(),
    await auth.getIdToken(),
    await auth.handleCallback("/").catch(String),
  ]);
  expect(given[0]).toBe(record.view.tokens[""].access_token);
  expect(JSON.stringify(given)).not.toContain(record.grant.refresh_token);
});

test("T3: a callback that somebody else frames does nothing, and tells nobody", async ({
  page,
  app,
  other,
  scripted,
}) => {
  const options = optionsFor(app, scripted);
  await signIn(page, app, options);
  const back = scripted.authorize(await requestUrl(page));
  // The attacker's frame, with a response of the attacker's own login.
  const stolen = new URL(back);
  const forged = `${stolen.searchParams.get("state").slice(0, 12)}${"A".repeat(43)}`;
  stolen.searchParams.set("state", forged);
  const asked = scripted.count("token");
  await page.goto(`${other.url}/frame?src=${encodeURIComponent(stolen.href)}`);
  const frame = page.frames()[1];
  await frame.waitForFunction(() => "createAuth" in window);
  const told = await frame.evaluate(async (options) => {
    start(options);
    const state = plain(await auth.ready);
    return { state, url: location.href };
  }, options);
  expect(told.state.status).not.toBe("loading");
  expect(told.url).not.toContain(forged);
  expect(scripted.count("token")).toBe(asked);
  expect(await page.evaluate(() => messages)).toEqual([]);
});

test("T5: what a script puts in the place of fetch, JSON and crypto later is not called, and sees no secret", async ({
  page,
  app,
  scripted,
}) => {
  const options = optionsFor(app, scripted, { storage: "memory" });
  await open(page, app);
  await begin(page, options);
  await call(page, "preload");
  await page.evaluate(() => {
    window.called = [];
    window.seen = [];
    const { stringify } = JSON;
    const { then } = Promise.prototype;
    const see = (value) => {
      try {
        seen.push(stringify(value) ?? String(value));
      } catch {
        // What is no data holds no secret either.
      }
    };
    const replace = (holder, name, stand) => {
      const old = holder[name];
      holder[name] = function (...args) {
        // The driver's own code is none of ours.
        if (new Error().stack.includes("/assets/")) called.push(name);
        return stand(old, this, args, new.target);
      };
    };
    const make = (old, self, args) => new old(...args);
    const apply = (old, self, args) => Reflect.apply(old, self, args);
    replace(window, "fetch", apply);
    replace(window, "Request", make);
    replace(JSON, "parse", apply);
    replace(Crypto.prototype, "getRandomValues", (old, self, [bytes]) =>
      bytes.fill(0),
    );
    replace(SubtleCrypto.prototype, "importKey", apply);
    replace(SubtleCrypto.prototype, "verify", async () => true);
    Object.defineProperty(crypto, "subtle", { value: undefined });
    // No refresh token passes through these; what does pass is the page's own.
    for (const [holder, name] of [
      [Array.prototype, "map"],
      [Array.prototype, "join"],
      [String.prototype, "split"],
      [Headers.prototype, "set"],
    ]) {
      const old = holder[name];
      holder[name] = function (...args) {
        see(this);
        for (let at = 0; at < args.length; at += 1) see(args[at]);
        return Reflect.apply(old, this, args);
      };
    }
    Promise.prototype.then = function (...args) {
      Reflect.apply(then, this, [see, see]);
      return Reflect.apply(then, this, args);
    };
  });
  const states = [];
  for (let login = 0; login < 2; login += 1) {
    const url = await requestUrl(page);
    states.push(new URL(url).searchParams.get("state"));
    const { value } = await handle(page, scripted.authorize(url));
    expect(value.state.status).toBe("signedIn");
  }
  expect(new Set(states).size).toBe(2);
  const force = { forceRefresh: true };
  expect((await call(page, "getAccessToken", force)).value).toMatch(/^at-/);
  expect((await call(page, "fetchUserInfo")).value.sub).toBe("alice");
  const status = await page.evaluate(
    async () => (await auth.fetch("/api/echo")).status,
  );
  expect(status).toBe(200);
  scripted.idTokenNext({
    sign: (claims, { own, other }) =>
      signed(claims, other.RS256, { kid: own.RS256.kid }),
  });
  expect((await signInHere(page, scripted)).error).toMatchObject({
    code: "invalid_id_token",
    details: { claim: "signature" },
  });
  const { called, seen } = await page.evaluate(() => ({ called, seen }));
  expect(called).toEqual([]);
  // The application's own wish to load something is no secret: it would have been noticed.
  await page.evaluate(
    (options) => attempt(() => createExternal(options).preload()),
    { ...options, clientId: "other", wasm: "/core.wasm" },
  );
  expect(await page.evaluate(() => called)).toContain("fetch");
  const sent = scripted.requests.filter(({ endpoint }) => endpoint === "token");
  const hidden = sent.flatMap(({ body }) =>
    ["code_verifier", "refresh_token"].map((name) => body.get(name)),
  );
  expect(seen.join()).toContain("at-");
  expect(
    leakIn(seen.join("\n"), [...hidden, ...scripted.alive]),
  ).toBeUndefined();
});

test("T6: __proto__ in answers, options and stored texts pollutes nothing", async ({
  page,
  app,
  scripted,
}) => {
  const options = optionsFor(app, scripted);
  const polluting =
    '"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}';
  const polluted = (json) =>
    JSON.parse(`{${polluting},${JSON.stringify(json).slice(1)}`);
  await open(page, app);
  await begin(page, options);
  scripted.editNext("discovery", polluted);
  scripted.editNext("jwks", polluted);
  scripted.editNext("token", polluted);
  scripted.claimNext(polluted);
  const login = { returnTo: "/x", appState: polluted({ mine: 1 }) };
  const { value } = await signInHere(page, scripted, login);
  expect(value.appState).toMatchObject({ mine: 1 });
  // What is stored says it, too, and is read again.
  const key = sessionKey(options);
  await page.evaluate(
    ([key, polluting]) => {
      const text = sessionStorage.getItem(key);
      sessionStorage.setItem(key, `{${polluting},${text.slice(1)}`);
    },
    [key, polluting],
  );
  await open(page, app);
  expect((await begin(page, options)).status).toBe("signedIn");
  await call(page, "preload");
  const seen = await page.evaluate(
    async ([options, polluting]) => {
      const { user } = auth.state;
      auth.dispose();
      const more = JSON.parse(`{${polluting}}`);
      const made = createAuth({
        ...options,
        ...more,
        authorizationParams: more,
      });
      const { state } = made;
      made.dispose();
      return {
        object: {}.polluted,
        array: [].polluted,
        user: user.polluted,
        prototype: Object.getPrototypeOf(user) === Object.prototype,
        keys: Object.keys(Object.prototype),
        status: state.status,
        credentials: new Request("/", {}).polluted,
      };
    },
    [options, polluting],
  );
  expect(seen).toEqual({
    object: undefined,
    array: undefined,
    user: undefined,
    prototype: true,
    keys: [],
    status: "signedIn",
    credentials: undefined,
  });
});

test("T13: nobody is sent to another origin, however returnTo is written", async ({
  page,
  app,
  scripted,
}) => {
  test.setTimeout(120_000);
  const { host, port } = new URL(app.url);
  const options = optionsFor(app, scripted);
  const evil = "evil.example";
  /** Each is refused, or stays within the origin: `false` and `true`. */
  const payloads = [
    ["/", true],
    ["/deep?x=1#y", true],
    ["here", true],
    ["?x", true],
    ["#y", true],
    [`${app.url}/x`, true],
    [`//${host}/x`, true],
    ["", true],
    [".", true],
    ["/..//", false],
    ["/.//evil.example", false],
    ["/%2f%2fevil.example", true],
    ["/%5cevil.example", true],
    ["/%09/evil.example", true],
    ["%2f%2fevil.example", true],
    ["/x?next=//evil.example", true],
    ["/x#//evil.example", true],
    ["/;//evil.example", true],
    ["/@evil.example", true],
    ["/:evil.example", true],
    ["/evil.example", true],
    ["./\t//evil.example", false],
    ["/\u0000/evil.example", true],
    ["/..//evil.example", false],
    ["/javascript:alert(1)", true],
    ["/\u202eelpmaxe.live//", true],
    [`//${evil}`, false],
    [`///${evil}`, false],
    [`////${evil}/%2e%2e`, false],
    [`/\\${evil}`, false],
    [`\\/${evil}`, false],
    [`\\\\${evil}`, false],
    [`\\\\\\${evil}`, false],
    [`/\t/${evil}`, false],
    [`/\n/${evil}`, false],
    [`/\r\n/${evil}`, false],
    [`\t//${evil}`, false],
    [` //${evil}`, false],
    [`\u0000//${evil}`, false],
    [`\u001f//${evil}`, false],
    [`/\t\\${evil}`, false],
    [`http://${evil}`, false],
    [`https://${evil}`, false],
    [`https:${evil}`, false],
    [`https:/${evil}`, false],
    [`https:\\\\${evil}`, false],
    [`HTTPS://${evil}`, false],
    [`ht\ntps://${evil}`, false],
    [`http:///${evil}`, false],
    [`http://${host}@${evil}`, false],
    [`http://${host}%2f@${evil}`, false],
    [`http://${host}\\@${evil}`, true],
    [`http://${host}.${evil}`, false],
    [`http://127.0.0.1.${evil}:${port}`, false],
    [`http://${evil}#@${host}`, false],
    [`http://${evil}?@${host}`, false],
    [`https://${host}/x`, false],
    [`http://127.0.0.1:${Number(port) + 1}/`, false],
    [`http://localhost:${port}/`, false],
    [`http://xn--e1awd7f.${evil}`, false],
    [`http://еvil.example`, false],
    ["javascript:alert(1)", false],
    ["JaVaScRiPt:alert(1)", false],
    ["java\tscript:alert(1)", false],
    [" javascript:alert(1)", false],
    ["\u0001javascript:alert(1)", false],
    ["data:text/html,<script>alert(1)</script>", false],
    ["vbscript:x", false],
    [`blob:${app.url}/x`, false],
    ["file:///etc/passwd", false],
    ["about:blank", false],
    ["mailto:x@evil.example", false],
    [`ftp://${host}/`, false],
    [`ws://${host}/`, false],
    [`view-source:${app.url}`, false],
    ["http://[::1", false],
  ];
  expect(payloads.length).toBeGreaterThanOrEqual(60);
  await open(page, app);
  await begin(page, options);
  const outcomes = await page.evaluate(
    (payloads) =>
      Promise.all(
        payloads.map(([returnTo]) =>
          attempt(
            () =>
              new Promise((resolve, reject) => {
                auth.login({ returnTo, navigate: resolve }).catch(reject);
              }),
          ),
        ),
      ),
    payloads,
  );
  // The youngest of those that were begun are kept; each accepted one is followed on a login of its own.
  for (const [index, [returnTo, stays]] of payloads.entries()) {
    const row = JSON.stringify(returnTo);
    const { error } = outcomes[index];
    if (error)
      expect.soft(error, row).toMatchObject({
        code: "invalid_config",
        details: { option: "returnTo" },
      });
    expect.soft(error === undefined, row).toBe(stays);
    if (error) continue;
    const { value } = await signInHere(page, scripted, { returnTo });
    expect.soft(value.returnTo, row).toMatch(/^\//);
    const arrived = await page.evaluate(() => location.origin);
    expect.soft(arrived, row).toBe(app.url);
  }
});

test("T15, CB9: the code is in no referrer, no history entry, no error and no record of the page", async ({
  page,
  app,
  other,
  scripted,
}) => {
  const options = optionsFor(app, scripted);
  await open(page, app);
  await returnFrom(page, app, options);
  const { searchParams } = new URL(page.url());
  const parts = ["code", "state"].map((name) => searchParams.get(name));
  scripted.answerNext("token", {
    status: 400,
    json: { error: "invalid_grant" },
  });
  const seen = await page.evaluate(
    async ([options, elsewhere]) => {
      const before = history.length;
      start(options);
      await auth.ready;
      // What the page loads later, from elsewhere.
      const loaded = (element, url) =>
        new Promise((resolve) => {
          element.onload = element.onerror = resolve;
          element.src = url;
          document.head.append(element);
        });
      await loaded(new Image(), `${elsewhere}/image.png`);
      const script = document.createElement("script");
      await loaded(script, `${elsewhere}/script.js`);
      const { error } = auth.state;
      return {
        grown: history.length - before,
        text: JSON.stringify([
          location.href,
          document.URL,
          document.referrer,
          history.state,
          plain(error),
          stackOf(error),
          performance
            .getEntries()
            .filter(({ entryType }) => entryType !== "navigation")
            .map(({ name }) => name),
        ]),
      };
    },
    [options, other.url],
  );
  expect(seen.grown).toBe(0);
  const paths = other.requests.map(({ path }) => path);
  expect(paths).toEqual(expect.arrayContaining(["/image.png", "/script.js"]));
  const referrers = other.requests.map(({ referer }) => referer);
  // The page asks for the fullest referrer that there is, and its URL without the response is what is left of it.
  for (const text of [seen.text, JSON.stringify(referrers)])
    for (const part of parts) expect(text).not.toContain(part);
  // Away and back again, by a load of its own: a page that listens to unload is not kept.
  await page.evaluate(() => addEventListener("unload", () => {}));
  await page.goto(`${app.url}/away`);
  app.reset();
  await page.goBack();
  expect(page.url()).toBe(`${app.url}/callback`);
  expect(app.requests.map(({ url }) => url)).toContain("/callback");
});

test("T18: no cookie goes along, and no-cors carries no token", async ({
  page,
  app,
  other,
  scripted,
}) => {
  const options = optionsFor(app, scripted, { apiOrigins: [other.url] });
  const cookie = { name: "session", value: "of-the-user", sameSite: "Lax" };
  await page.context().addCookies([
    { ...cookie, url: scripted.address },
    { ...cookie, url: other.url },
  ]);
  await signIn(page, app, options);
  await call(page, "getAccessToken", { forceRefresh: true });
  const ours = scripted.requests.filter(
    ({ endpoint }) => endpoint !== "authorization",
  );
  expect(ours.map(({ endpoint }) => endpoint).sort()).toEqual([
    "discovery",
    "jwks",
    "token",
    "token",
  ]);
  for (const { headers } of ours) expect(headers.cookie).toBeUndefined();
  // The user's own way there has it: it would have been sent.
  const [visit] = scripted.requests.filter(
    ({ endpoint }) => endpoint === "authorization",
  );
  expect(visit.headers.cookie).toContain("of-the-user");
  await page.evaluate(
    (url) => auth.fetch(url, { mode: "no-cors", credentials: "include" }),
    `${other.url}/api/echo`,
  );
  const [sent] = other.requests.filter(({ path }) => path === "/api/echo");
  expect(sent.authorization).toBeNull();
});

test("T26: a service worker that caches, breaks or stalls gets no token into a cache", async ({
  page,
  app,
  scripted,
}) => {
  const options = optionsFor(app, scripted, { timeout: 1 });
  const worker = (answer) => `
    addEventListener("install", () => skipWaiting());
    addEventListener("activate", (event) => event.waitUntil(clients.claim()));
    addEventListener("fetch", (event) => {
      const { request } = event;
      const { pathname } = new URL(request.url);
      ${answer}
    });`;
  const install = (answer) =>
    page.evaluate(async (body) => {
      const controlled = new Promise((resolve) => {
        navigator.serviceWorker.oncontrollerchange = resolve;
      });
      const url = `/worker.js?body=${encodeURIComponent(body)}`;
      await navigator.serviceWorker.register(url, { scope: "/" });
      await controlled;
    }, worker(answer));
  await open(page, app);
  // One that keeps every answer that the cache takes, and serves from it first.
  await install(`event.respondWith((async () => {
    const cache = await caches.open("all");
    const kept = await cache.match(request);
    if (kept) return kept;
    const response = await fetch(request);
    await cache.put(request, response.clone()).catch(() => {});
    return response;
  })())`);
  await begin(page, options);
  expect((await signInHere(page, scripted)).value.state.status).toBe(
    "signedIn",
  );
  const tokens = [
    (await call(page, "getAccessToken")).value,
    (await call(page, "getAccessToken", { forceRefresh: true })).value,
  ];
  expect(new Set(tokens).size).toBe(2);
  const cached = await page.evaluate(async () => {
    const cache = await caches.open("all");
    const texts = [];
    for (const request of await cache.keys())
      texts.push(request.url, await (await cache.match(request)).text());
    return texts.join("\n");
  });
  // It did cache: the metadata, say.
  expect(cached).toContain("token_endpoint");
  expect(leakIn(cached, secrets)).toBeUndefined();
  for (const [answer, expected] of [
    ["event.respondWith(Response.error())", { code: "network" }],
    [
      'event.respondWith(new Response("<html>offline</html>", { headers: { "content-type": "text/html" } }))',
      { code: "invalid_response" },
    ],
    ['event.respondWith(Response.redirect("/elsewhere"))', { code: "network" }],
    ["event.respondWith(new Promise(() => {}))", { code: "timeout" }],
  ]) {
    await install(`if (pathname === "/token") ${answer}`);
    const { error } = await signInHere(page, scripted);
    expect.soft(error, answer).toMatchObject(expected);
    expect.soft((await state(page)).status, answer).toBe("signedIn");
  }
});

test("T34: a page with the strictest policy signs in, refreshes and logs out without a violation", async ({
  page,
  app,
  scripted,
}) => {
  const options = optionsFor(app, scripted, {
    postLogoutRedirectUri: `${app.url}/bye`,
  });
  const policy = [
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    `connect-src 'self' ${scripted.address}`,
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "form-action 'none'",
  ].join("; ");
  await page.addInitScript(() => {
    window.violations = [];
    addEventListener(
      "securitypolicyviolation",
      ({ violatedDirective, blockedURI }) =>
        window.violations.push(`${violatedDirective} ${blockedURI}`),
    );
  });
  const query = `/?policy=${encodeURIComponent(policy)}`;
  const violations = () =>
    page.evaluate(() =>
      // The browser's own wish for an icon is nobody's fault.
      violations.filter((violation) => !violation.includes("favicon")),
    );
  await open(page, app, query);
  // The policy is in force.
  await page.evaluate(() => {
    const style = document.createElement("style");
    style.textContent = "a{}";
    document.head.append(style);
  });
  await page.waitForFunction(() => window.violations.length > 0);
  await open(page, app, query);
  await begin(page, options);
  expect((await signInHere(page, scripted)).value.state.status).toBe(
    "signedIn",
  );
  const { value } = await call(page, "getAccessToken", { forceRefresh: true });
  expect(value).toMatch(/^at-/);
  const status = await page.evaluate(
    async () => (await auth.fetch("/api/x")).status,
  );
  expect(status).toBe(200);
  await page.evaluate(() => auth.logout({ navigate: () => {} }));
  expect(await violations()).toEqual([]);
});

test("T40: what is told, thrown and logged is searched, and a leak would be found", async ({
  page,
  app,
  scripted,
  produced,
}) => {
  const options = optionsFor(app, scripted, {
    postLogoutRedirectUri: `${app.url}/bye`,
  });
  await signIn(page, app, options);
  await call(page, "getAccessToken", { forceRefresh: true });
  scripted.answerNext("token", { status: 503, text: "" });
  await call(page, "getAccessToken", { forceRefresh: true });
  scripted.answerNext("token", {
    json: { access_token: "half-an-answer-with-a-token", token_type: "mac" },
  });
  await signInHere(page, scripted);
  scripted.claimNext((claims) => ({ ...claims, nonce: "another" }));
  await signInHere(page, scripted);
  const back = scripted.authorize(await requestUrl(page));
  await handle(page, `${back}&code=again`);
  await handle(page, back.replace("state=", "state=x"));
  await page.evaluate(() => auth.logout({ navigate: () => {} }));
  await call(page, "getAccessToken");
  // That nothing of this shows is asserted after each test of this folder: here, that something was there to be seen.
  await expect.poll(() => [...produced].join("\n")).toMatch(/loggedOut/);
  const text = [...produced].join("\n");
  expect(text).toMatch(/signedIn[^]*invalid_response[^]*invalid_id_token/);
  expect(text).not.toContain("half-an-answer");
  expect(secrets.size).toBeGreaterThan(10);
  expect(leakIn(text, secrets)).toBeUndefined();
  for (const secret of secrets)
    for (const spelling of [
      secret,
      secret.slice(3, 19),
      encodeURIComponent(`"${secret}"`),
      Buffer.from(`Bearer ${secret}`).toString("base64"),
      Buffer.from(`{"x":"${secret}"}`).toString("base64url"),
    ])
      expect(leakIn(`${text} ${spelling} ${text}`, secrets)).toBeDefined();
});

test("T43: markup in the server's error text stays text, also in the demo", async ({
  page,
}) => {
  const demo = await serve({ packageDirectory });
  try {
    await page.goto(demo.url);
    await page.locator("html[data-status=signedOut]").waitFor();
    await Promise.all([
      page.waitForURL(/\/interaction\//),
      page.click("#sign-in"),
    ]);
    const markup = `<img src=x onerror="window.pwned=1">`;
    await page.goto(demo.url);
    const login = await page.evaluate(() =>
      Object.keys(sessionStorage)
        .filter((key) => key.startsWith("countersign:login:"))
        .map((key) => JSON.parse(sessionStorage.getItem(key)))
        .at(0),
    );
    const answer = new URLSearchParams({
      error: "access_denied",
      error_description: markup,
      error_uri: "javascript:window.pwned=1",
      state: login.state,
      iss: login.issuer,
    });
    await page.goto(`${demo.url}?${answer}`);
    await expect(page.locator("#error")).toContainText(markup);
    const seen = await page.evaluate(() => ({
      pwned: window.pwned,
      images: document.querySelectorAll("#error img").length,
      links: document.querySelectorAll('a[href^="javascript"]').length,
    }));
    expect(seen).toEqual({ pwned: undefined, images: 0, links: 0 });
  } finally {
    await demo.close();
  }
});

test("T44: two clients on one page keep their sessions apart", async ({
  page,
  app,
  scripted,
}) => {
  const second = await startScripted({ clientId: "second" });
  try {
    const options = optionsFor(app, scripted, { callback: "manual" });
    const others = optionsFor(app, second, { callback: "manual" });
    await open(page, app);
    await begin(page, options);
    const first = scripted.authorize(await requestUrl(page));
    // Each with the other's response: refused, and nothing of it is sent.
    await page.evaluate((options) => {
      window.one = auth;
      window.two = createAuth(options);
    }, others);
    const crossed = await page.evaluate(
      (url) => attempt(() => two.handleCallback(url)),
      first,
    );
    expect(crossed.error).toMatchObject({ code: "stale_callback" });
    expect(scripted.count("token") + second.count("token")).toBe(0);
    await page.evaluate((url) => one.handleCallback(url), first);
    const begun = await page.evaluate(
      () => new Promise((navigate) => two.login({ navigate })),
    );
    await page.evaluate(
      (url) => two.handleCallback(url),
      second.authorize(begun),
    );
    const tokens = await page.evaluate(async () => [
      await one.getAccessToken(),
      await two.getAccessToken(),
    ]);
    expect(new Set(tokens).size).toBe(2);
    // The end of one is not the end of the other.
    await page.evaluate(() => one.logout({ local: true }));
    expect(
      await page.evaluate(() => [one.state.status, two.state.status]),
    ).toEqual(["signedOut", "signedIn"]);
    const stored = Object.keys(await storedIn(page));
    expect(stored).toContain(sessionKey(others));
    expect(stored).not.toContain(sessionKey(options));
    await page.evaluate(() => two.dispose());
  } finally {
    await second.close();
  }
});

test("T45: a logout URL that somebody frames ends no session", async ({
  page,
  app,
  other,
  scripted,
}) => {
  const options = optionsFor(app, scripted, {
    postLogoutRedirectUri: `${app.url}/bye`,
  });
  await signIn(page, app, options);
  const before = await storedSession(page, options);
  for (const query of [
    `iss=${encodeURIComponent(scripted.issuer)}&sid=1`,
    "logout=true",
    "state=cso-00000000-x",
    "error=logged_out",
  ]) {
    const src = `${app.url}/bye?${query}`;
    await page.goto(`${other.url}/frame?src=${encodeURIComponent(src)}`);
    const frame = page.frames()[1];
    await frame.waitForFunction(() => "createAuth" in window);
    await frame.evaluate(async (options) => {
      start(options);
      await auth.ready;
    }, options);
  }
  await open(page, app);
  expect((await begin(page, options)).status).toBe("signedIn");
  expect((await storedSession(page, options)).text).toBe(before.text);
});
