// Many tabs of one application: clones, unrelated ones, ones that are killed, and what is left of their session.

import { expect } from "@playwright/test";
import { handle, open, optionsFor, requestUrl, sessionKey } from "./driver.mjs";
import { test as base, watchErrors } from "./fixtures.mjs";
import { startOwnBrowser } from "./own-browser.mjs";
import { authorize } from "./sign-in.mjs";

/** How often what is random is repeated; the full proof is 20. */
export const TIMES = Number(process.env.COUNTERSIGN_TIMES ?? 5);

/** What is random follows from this. */
export const SEED = Number(
  process.env.COUNTERSIGN_SEED ?? Math.floor(Math.random() * 2 ** 32),
);

/** Random numbers in `[0, 1)` that follow from the seed and a name. */
export function dice(name) {
  let at = [...name].reduce(
    (sum, letter) => sum * 31 + letter.charCodeAt(),
    SEED,
  );
  return () => {
    at = (at + 0x6d2b79f5) | 0;
    let mixed = Math.imul(at ^ (at >>> 15), 1 | at);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Tokens live so long here, in seconds, and all are over after `expire()`. */
const LIFE = 60;
const NIGHT = (LIFE + 10) * 1000;

/** Runs in every page before anything else: its clocks are the test's, and `lacks` is taken from it. */
const prepare = ({ lacks }) => {
  const now = Date.now.bind(Date);
  // Of the prototype: Firefox gives a window that was opened another object when its page comes.
  const { now: sinceStart } = Performance.prototype;
  window.clocks = { ahead: 0, passed: 0 };
  window.realNow = now;
  // Time goes by while the page is in the back/forward cache, and is there before any event that brings it back.
  addEventListener("pagehide", () => (window.clocks = window.later ?? clocks));
  Date.now = () => now() + clocks.ahead + clocks.passed;
  Performance.prototype.now = function () {
    return sinceStart.call(this) + clocks.passed;
  };
  const gone = (object, name) =>
    Object.defineProperty(object, name, { value: undefined });
  if (lacks.includes("locks")) gone(Navigator.prototype, "locks");
  // A page that is blank has none.
  if (lacks.includes("lock requests") && navigator.locks)
    LockManager.prototype.request = () =>
      Promise.reject(new DOMException("refused", "SecurityError"));
  if (lacks.includes("indexedDB")) gone(window, "indexedDB");
};

export const test = base.extend({
  /** `tabs({ storage, options, lacks, context })`: the tabs of one application. */
  tabs: async ({ context, app, op, api }, use) => {
    op.control.setAccessTokenTtl(LIFE);
    await use(async (how = {}) => {
      const tabs = new Tabs({ app, op, api, ...how });
      await tabs.use(how.context ?? context);
      return tabs;
    });
  },

  /** A browser that the test can kill, where pages freeze and go into the back/forward cache. */
  ownBrowser: async ({ browserName, uncaught }, use, { project }) => {
    const own = startOwnBrowser(
      browserName,
      project.use.launchOptions,
      (page) => watchErrors(page, uncaught),
    );
    await use(own);
    await own.remove();
  },
});

export { expect };

export class Tabs {
  /** By how many milliseconds the device's clock is ahead, and how many have passed without anybody waiting for them. */
  clocks = { ahead: 0, passed: 0 };

  constructor({ app, op, api, storage, lazy, lacks = [], options = {} }) {
    Object.assign(this, { app, op, api, storage, lazy, lacks });
    this.options = optionsFor(app, op, {
      apiOrigins: [api.url],
      ...options,
    });
    this.key = sessionKey(this.options);
  }

  /** From now on its tabs are of this context. */
  async use(context) {
    this.context = context;
    await context.addInitScript(prepare, { lacks: this.lacks });
  }

  /** Opens the application in a page, and makes the client. */
  async open(page, path = "/") {
    await open(page, this.app, path);
    await this.begin(page);
    return page;
  }

  /** Makes the client, and gives its first state; the Rust side is there then, unless it is left to come when it is needed. */
  begin(page) {
    const { options, storage, clocks, lazy } = this;
    return page.evaluate(
      async ({ options, storage, clocks, lazy }) => {
        window.clocks = clocks;
        start({ ...options, ...(storage && { storage: window[storage] }) });
        const state = plain(await auth.ready);
        if (!lazy) await auth.preload();
        return state;
      },
      { options, storage, clocks, lazy },
    );
  }

  /** A tab, opened as the user opens one: with nothing of another's. */
  async unrelated() {
    return this.open(await this.context.newPage());
  }

  /** The first tab, with somebody signed in. */
  async signedIn(user) {
    const page = await this.unrelated();
    await this.signIn(page, user);
    return page;
  }

  /** Signs in at the provider, without leaving the page. */
  async signIn(page, user = "alice") {
    const { issuer } = this.op;
    const back = await authorize(await requestUrl(page), issuer, user);
    const { value, error } = await handle(page, back);
    expect(error).toBeUndefined();
    expect(value.state).toMatchObject({
      status: "signedIn",
      user: { sub: user },
    });
  }

  /** Tabs that a page opened by `window.open`: they have a copy of its sessionStorage. */
  clones(opener, count) {
    return this.#opened(opener, count, "");
  }

  /** Tabs that it opened with `noopener`: they have nothing of it, and a process of their own. */
  unrelatedTo(opener, count) {
    return this.#opened(opener, count, "noopener");
  }

  async #opened(opener, count, features) {
    const opened = [];
    const { context } = this;
    const wanted = new Promise((resolve) => {
      const note = (page) => {
        if (opened.push(page) < count) return;
        context.off("page", note);
        resolve();
      };
      context.on("page", note);
    });
    await opener.evaluate(
      ([url, count, features]) => {
        for (let n = 0; n < count; n += 1) window.open(url, "_blank", features);
      },
      [`${this.app.url}/`, count, features],
    );
    await wanted;
    await Promise.all(
      opened.map(async (page) => {
        // Firefox's driver may lose a wait that begins before the page has come.
        const isThere = () => page.evaluate(() => "createAuth" in window);
        await expect
          .poll(() => isThere().catch(() => false), { timeout: 20_000 })
          .toBe(true);
        await this.begin(page);
      }),
    );
    return opened;
  }

  /** A tab with this in its sessionStorage, as a browser makes one that is duplicated, or reopened. */
  async reopened(stored) {
    const page = await this.context.newPage();
    await open(page, this.app);
    await page.evaluate((stored) => {
      for (const [key, value] of Object.entries(stored))
        sessionStorage.setItem(key, value);
    }, stored);
    await this.begin(page);
    return page;
  }

  /** A duplicate of a tab, in a process of its own. */
  async duplicate(page) {
    return this.reopened(await page.evaluate(() => stored()));
  }

  /** Makes every token one whose time is over, here and at the server. */
  async expire(pages) {
    this.op.control.dropAccessTokens();
    this.clocks.passed += NIGHT;
    await this.setClocks(pages);
  }

  /** Sets the clocks of these tabs. */
  async setClocks(pages) {
    await Promise.all(
      pages.map((page) =>
        page.evaluate((clocks) => void (window.clocks = clocks), this.clocks),
      ),
    );
  }

  /** All these tabs call the API at one instant: `{ token, status, sub }` or `{ error }` of each. */
  async wake(pages, { options = {}, inMs = pages.length * 4 + 30 } = {}) {
    const at = Date.now() + inMs;
    return Promise.all(
      pages.map((page) => page.evaluate(callApi, [at, this.api.url, options])),
    );
  }

  /** Each of these tabs calls the API, is answered, and shows its user. */
  async expectValid(pages, sub = "alice") {
    const calls = await this.wake(pages);
    const { refreshes, refusals } = this;
    expect(
      tally(calls),
      `after ${refreshes} refreshes, ${refusals} of them refused`,
    ).toEqual({ [`200 ${sub}`]: pages.length });
    const states = await Promise.all(pages.map(state));
    for (const one of states)
      expect(one).toMatchObject({
        status: "signedIn",
        user: { sub },
        freshness: "fresh",
      });
    return calls;
  }

  /** How often a refresh was asked for. */
  get refreshes() {
    return this.op.control.count("token", "refresh_token");
  }

  /** The refreshes that were refused. */
  get refusals() {
    return this.op.control.requests.filter(
      ({ grantType, status }) => grantType === "refresh_token" && status >= 400,
    ).length;
  }
}

/** Tabs that sleep through the next `expire()`: what `back()` or `resume()` gives has the clocks of the others. */
export const tabsIn = {
  /** In the back/forward cache. */
  async cache(tabs, page) {
    const { ahead, passed } = tabs.clocks;
    const later = { ahead, passed: passed + NIGHT };
    await page.evaluate((later) => {
      window.later = later;
      window.cached = undefined;
      addEventListener("pageshow", ({ persisted }) => {
        window.cached = persisted;
      });
    }, later);
    let why = "";
    if (page.context().browser()?.browserType().name() === "chromium") {
      const session = await tabs.context.newCDPSession(page);
      await session.send("Page.enable");
      session.on(
        "Page.backForwardCacheNotUsed",
        ({ notRestoredExplanations }) => {
          why = JSON.stringify(notRestoredExplanations);
        },
      );
    }
    // One that leaves in the middle of a transaction is thrown out as soon as another tab needs the mailbox.
    await settled(page);
    await page.goto(`${tabs.app.url}/frame?src=about:blank`);
    return {
      async back() {
        await page.evaluate(() => history.back());
        await page.waitForFunction(() => "createAuth" in window);
        const cached = await page.evaluate(() => window.cached);
        // Firefox keeps what it has room for, and says nothing: with many tabs it is not always this one.
        if (!cached && test.info().project.name === "firefox") {
          console.log("not from the back/forward cache: Firefox dropped it");
          return [];
        }
        expect(cached, `in the back/forward cache: ${why}`).toBe(true);
        return [page];
      },
    };
  },

  /** Frozen, in Chromium and in a browser of the test's own. */
  async ice(tabs, page) {
    const session = await tabs.context.newCDPSession(page);
    const set = (state) => session.send("Page.setWebLifecycleState", { state });
    await (await tabs.context.newPage()).bringToFront();
    // Frozen in the middle of a transaction it would keep the mailbox from all others; Chromium by itself freezes no such page.
    await settled(page);
    await page.evaluate(() => {
      window.lives = [];
      for (const type of ["freeze", "resume"])
        document.addEventListener(type, () => lives.push(type));
    });
    await set("frozen");
    expect(await page.evaluate(() => window.lives)).toEqual(["freeze"]);
    return {
      /** For `expire()`: time goes by for it as for the others. */
      page,
      async resume() {
        await set("active");
        await page.waitForFunction(() => lives.includes("resume"));
        return page;
      },
    };
  },
};

/** How often each outcome of `wake()` is there. */
export function tally(calls) {
  const counted = {};
  for (const { error, status, sub } of calls) {
    const outcome = error
      ? `${error.code} ${error.details?.reason ?? ""}`
      : `${status} ${sub}`;
    counted[outcome] = (counted[outcome] ?? 0) + 1;
  }
  return counted;
}

/** In the page: waits for the instant, takes a token and calls the API with it, without a second try. */
const callApi = async ([at, api, options]) => {
  await new Promise((resolve) => setTimeout(resolve, at - realNow()));
  const outcome = await attempt(() => auth.getAccessToken(options));
  if (outcome.error) return { error: outcome.error };
  const response = await fetch(`${api}/me`, {
    headers: { authorization: `Bearer ${outcome.value}` },
  });
  const { sub } = await response.json();
  return { token: outcome.value, status: response.status, sub };
};

/** From now on the answers of the token endpoint are noted: `{ refreshToken }`, with the old one if it is a refusal. */
export function watchAnswers({ control }) {
  const answers = [];
  let tell = () => {};
  let hold = Promise.resolve();
  control.failNext(
    "token",
    async (json) => {
      answers.push({ refreshToken: json.refresh_token ?? null });
      tell();
      await hold;
      return json;
    },
    Infinity,
  );
  return {
    answers,
    /** Waits for the next answer; it leaves after this, by the delay of the endpoint. */
    next: () => new Promise((resolve) => (tell = resolve)),
    /** The answers from now on wait for this. */
    hold(until) {
      hold = until;
    },
  };
}

/** What the mailbox has, as a page that runs nothing of ours sees it: `[family, generation]`, `Infinity` as null. */
export const lettersIn = (page) =>
  page.evaluate(async () => {
    const all = await indexedDB.databases();
    if (!all.some(({ name }) => name === "countersign")) return [];
    const done = (request) =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = reject;
      });
    const db = await done(indexedDB.open("countersign"));
    const keys = await done(
      db.transaction("log").objectStore("log").getAllKeys(),
    );
    db.close();
    return keys;
  });

/** A page of the origin that runs nothing of ours. */
export async function emptyPage(context, app) {
  const page = await context.newPage();
  await page.goto(`${app.url}/frame?src=about:blank`);
  return page;
}

/** Waits until the Rust side is there, and the mailbox has nothing more to do for anybody. */
export const settled = async (page) => {
  await page.evaluate(() => auth.preload());
  await page.evaluate(mailboxDone);
};

/** In the page: waits until the mailbox, if there is one, has nothing more to do for anybody. */
export const mailboxDone = async () => {
  const all = await indexedDB.databases();
  if (!all.some(({ name }) => name === "countersign")) return;
  const { result } = await new Promise((resolve) => {
    const request = indexedDB.open("countersign");
    request.onsuccess = () => resolve(request);
  });
  const turn = result.transaction("log", "readwrite");
  turn.objectStore("log").count();
  await new Promise((resolve) => (turn.oncomplete = resolve));
  result.close();
};

/** Watches the mailbox: `seen(family)` is the highest generation that was in it, at whatever moment. */
export async function watchMailbox(context, app) {
  const page = await emptyPage(context, app);
  await page.evaluate(() => {
    window.seen = {};
    const request = indexedDB.open("countersign");
    request.onsuccess = () => {
      const look = () => {
        const log = request.result.transaction("log").objectStore("log");
        log.getAllKeys().onsuccess = ({ target }) => {
          for (const [family, generation] of target.result)
            if (Number.isInteger(generation))
              seen[family] = Math.max(seen[family] ?? 0, generation);
          setTimeout(look, 1);
        };
      };
      look();
    };
  });
  return {
    seen: (family) =>
      page.evaluate((family) => window.seen[family] ?? 0, family),
    close: () => page.close(),
  };
}

export const state = (page) => page.evaluate(() => plain(auth.state));
