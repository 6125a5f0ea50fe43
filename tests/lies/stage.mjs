// Where the lies are told: an application, the provider that lies, another one that nobody is to hear of, and a line to
// the page. The page asks for its next task and posts what came of it: a driver's own calls take several times as long,
// and differ from engine to engine.

import { createServer } from "node:http";
import { setTimeout } from "node:timers/promises";
import { close, listen, startApp } from "../support/app.mjs";
import { begin, open, optionsFor } from "../support/driver.mjs";
import { startScripted } from "../support/scripted.mjs";

/** How long the page may take for an answer, in milliseconds. */
const WAIT = 20_000;

/** Starts the servers and opens the application on a page of whatever driver. */
export async function openStage(page, scripts) {
  const app = await startApp(scripts);
  const provider = await startScripted();
  const evil = await startScripted({ whose: "other" });
  const line = await startLine();
  const stage = {
    ...{ app, provider, evil, act: line.act },
    told: 0,
    believed: 0,
    // What the page's client was made with, where the next row may use it; and whether it knows the keys.
    options: undefined,
    keysKnown: false,
    // The twin that was told last.
    twin: undefined,
    /** Whether what it knows of endpoints is to be forgotten. */
    forget: false,
    /** A fresh page, which knows the provider's metadata. */
    async enter() {
      await open(page, app);
      line.hangUp();
      stage.options = stage.twin = undefined;
      await begin(page, optionsFor(app, provider));
      await page.evaluate(work, line.url);
      await stage.act(["login", {}]);
      app.reset();
    },
    async close() {
      await Promise.all([app, provider, evil, line].map((one) => one.close()));
    },
  };
  await stage.enter();
  return stage;
}

/** Hands tasks to the page. */
async function startLine() {
  let [tell, hand] = [() => {}, () => {}];
  let next;
  const hangUp = () => (next = new Promise((resolve) => (hand = resolve)));
  hangUp();
  const server = createServer(async (req, res) => {
    let body = "";
    for await (const chunk of req) body += chunk;
    res.setHeader("access-control-allow-origin", "*");
    hand(res);
    tell(body);
  });
  const url = await listen(server);
  return {
    url,
    /** Whoever calls next is another page. */
    hangUp,
    /** Does one thing after another; what came of the last, and how it looked before and after it. */
    async act(...tasks) {
      const res = await inTime(next);
      hangUp();
      const told = new Promise((resolve) => (tell = resolve));
      res.end(JSON.stringify(tasks));
      return JSON.parse(await inTime(told));
    },
    close: () => close(server),
  };
}

/** A page that says nothing fails one row, and not each by its own time-out. */
function inTime(answer) {
  const silence = new Error("the page says nothing");
  return Promise.race([
    answer,
    setTimeout(WAIT, undefined, { ref: false }).then(() =>
      Promise.reject(silence),
    ),
  ]);
}

/** What the page does all the time. */
function work(url) {
  // A login of the user's own is no part of a login loop, however many there are.
  Object.defineProperty(navigator, "userActivation", {
    value: { isActive: true, hasBeenActive: true },
  });
  const look = () => {
    const all = Object.entries(stored());
    const isSession = ([key]) => key.includes(":session:");
    return {
      state: plain(auth.state),
      heard: [window.states, window.moments, window.logged].map(plain),
      sessions: Object.fromEntries(all.filter(isSession)),
      rest: JSON.stringify(all.filter((entry) => !isSession(entry))),
      elsewhere: stored(localStorage),
      address: location.href,
      cookies: document.cookie,
      prototypes: [Object, Array, String, Function]
        .flatMap(({ prototype }) => Object.getOwnPropertyNames(prototype))
        .join(),
    };
  };
  const outcomeOf = async (call) => {
    try {
      return { value: plain(await call()) };
    } catch (error) {
      // Everything that an application could print of it.
      const all = [String(error), error.stack, String(error.cause)];
      return { error: { ...plain(error), all } };
    }
  };
  const tasks = {
    /** A new client, which knows no keys; with what is stored, or without. */
    async begin({ options, forget, empty }) {
      window.auth.dispose();
      for (const key of Object.keys(sessionStorage)) {
        const metadata = key.startsWith("countersign:metadata:");
        if (metadata ? forget : empty) sessionStorage.removeItem(key);
      }
      window.logged = [];
      const log = (record) => window.logged.push(record);
      // The address bar may not be written too often.
      start({ ...options, log, onCallback: () => {} });
      return auth.ready;
    },
    login: (login) =>
      new Promise((resolve, reject) => {
        auth.login({ ...login, navigate: resolve }).catch(reject);
      }),
    land: (back) => auth.handleCallback(back),
    call: ([method, ...args]) => auth[method](...args),
    /** Lets an hour pass for what was discovered. */
    age() {
      for (const key of Object.keys(sessionStorage)) {
        if (!key.startsWith("countersign:metadata:")) continue;
        const record = JSON.parse(sessionStorage.getItem(key));
        record.fetched_at -= 2 * 3600_000;
        sessionStorage.setItem(key, JSON.stringify(record));
      }
    },
  };
  window.logged = [];
  // What is said here is searched for secrets by the rows themselves; drivers are slow with consoles.
  console.debug = () => {};
  const ask = async (body) => {
    const response = await fetch(url, { method: "POST", body });
    let before, outcome;
    for (const [name, value] of await response.json()) {
      before = look();
      outcome = await outcomeOf(() => tasks[name](value));
    }
    const after = look();
    for (const heard of [window.states, window.moments, window.logged])
      heard.length = 0;
    return JSON.stringify({ before, outcome, after });
  };
  const forever = async (body) => forever(await ask(body));
  void forever("");
}
