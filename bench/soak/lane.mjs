// One contestant with one storage: its tabs, and what a round does to them.

import { clientOf, tokenDelay } from "../support/stage.mjs";
import {
  clone,
  crash,
  dump,
  leave,
  lifecycle,
  open,
  reload,
  signIn,
} from "../support/tabs.mjs";
import {
  account,
  avoidable,
  grantsOf,
  honoured,
  refreshesOf,
} from "./judge.mjs";

const most = 6;

/** Milliseconds in which a tab may try to get a token: while things happen to it, and afterwards. */
const patience = { wild: 4000, calm: 8000, hopeless: 300 };

export class Lane {
  #stage;
  #site;
  #client;
  #context;
  #tabs = [];
  /** The sessionStorage of closed tabs, as it was when all was calm. */
  #closed = [];
  #doing = "";
  /** Grants of sessions that are over. */
  #over = new Set();

  constructor(stage, contestant, storage) {
    this.#stage = stage;
    this.#site = stage.site(contestant);
    this.#client = clientOf(contestant, storage);
    this.contestant = contestant;
    this.storage = storage;
    this.tally = {
      sessions: 0,
      rounds: 0,
      held: 0,
      due: 0,
      requests: 0,
      avoidable: 0,
      unavoidable: 0,
      tabsLost: 0,
      logouts: 0,
      stayed: 0,
      broken: 0,
    };
  }

  get #shared() {
    return this.storage === "local";
  }

  get #canReopen() {
    return this.#shared || this.#closed.length > 0;
  }

  /** The grants of the present session. */
  get #grants() {
    const grants = grantsOf(this.#client, this.#stage.control.ledger);
    for (const id of this.#over) grants.delete(id);
    return grants;
  }

  /** Plays a round, and gives what there is to tell of it: a session that was lost, a page that did not answer. */
  async play(script) {
    try {
      return await inTime(this.#play(script), () => this.#hung());
    } catch (error) {
      this.tally.broken += 1;
      // What is still on its way says nothing any more.
      this.tally = { ...this.tally };
      await this.#discard();
      const { contestant, storage } = this;
      return { contestant: contestant.name, storage, broken: error.message };
    }
  }

  async #play(script) {
    const { tally } = this;
    const { control } = this.#stage;
    this.#site.settings = this.#stage.settings(this.contestant, this.storage);
    this.#site.ahead = this.#stage.aheadBy();
    if (this.#tabs.length === 0) await this.#begin();
    const before = control.requests.length;
    this.#doing = `wake, ${script.blow.kind}`;
    const told = await this.#wake(script);
    const loggedOut = told.blow === "logout";
    // What a page has to tell of tokens that arrived is on its way.
    await sleep(150);
    this.#doing = `settle after ${script.blow.kind}`;
    const lost = loggedOut ? undefined : await this.#settle(told, before);
    if (tally !== this.tally) return undefined;
    this.#count(before);
    if (loggedOut) await this.#afterLogout();
    else if (lost) await this.#discard();
    else {
      this.tally.held += 1;
      // Where nobody is left there is nothing to lose.
      await (this.#tabs.length === 0 ? this.#discard() : this.#end(script));
    }
    if (!loggedOut) this.tally.rounds += 1;
    return lost;
  }

  async close() {
    await this.#context?.close();
  }

  /** A new session in a new browser context. */
  async #begin() {
    this.#doing = "sign-in";
    this.#context = await this.#stage.browser.newContext();
    this.#context.setDefaultTimeout(15_000);
    await this.#enter(this.#add(await open(this.#context, this.#site)));
  }

  async #enter({ page }) {
    this.tally.sessions += 1;
    await signIn(page, this.#site);
    await this.#save();
  }

  #add(page) {
    const tab = {
      ...{ page, saved: undefined },
      ...{ frozen: false, dead: false, isAsking: false },
    };
    page.on("crash", () => (tab.dead = true));
    this.#tabs.push(tab);
    return tab;
  }

  /** Some tabs ask for a token, while the provider fails and a tab is struck. */
  async #wake({ wakes, fault, blow }) {
    const { control } = this.#stage;
    const here = ({ body }) =>
      new URLSearchParams(body).get("client_id") === this.#client;
    if (fault.slow) control.setDelay("token", fault.slow);
    else if (fault.how) control.failNext("token", fault.how, fault.times, here);

    const able = this.#tabs.filter(({ frozen }) => !frozen);
    const awake = able.filter((_, at) => at === 0 || wakes[at]);
    const asking = this.#ask(awake, patience.wild);
    await sleep(blow.after);
    const struck = await this.#strike(blow.kind, pick(able, blow.tab));
    this.#doing += ", done";
    await asking;

    control.clearFaults();
    control.setDelay("token", tokenDelay);
    // Who crashed with a clone hears of nothing any more.
    for (const tab of this.#tabs.filter(
      ({ frozen, dead }) => frozen && !dead,
    )) {
      await lifecycle(tab.page, "active");
      tab.frozen = false;
    }
    return { blow: struck, fault };
  }

  #ask(tabs, patience) {
    const { ahead } = this.#site;
    return Promise.all(
      tabs.map(async (tab) => {
        tab.isAsking = true;
        const answer = await tab.page
          .evaluate((how) => window.bench.insist(how), { ahead, patience })
          // It was closed, crashed or reloaded meanwhile.
          .catch((error) => ({ valid: false, reason: error.message }));
        tab.isAsking = false;
        return answer;
      }),
    );
  }

  /** What was being done, and how each tab is. */
  async #hung() {
    const tabs = this.#tabs.map(async ({ page, dead, frozen, isAsking }) => {
      const alive = page
        .evaluate(() => `${document.visibilityState} ${location.pathname}`)
        .catch((error) => error.message);
      const late = sleep(2000).then(() => "no answer");
      const is = [dead && "crashed", frozen && "frozen", isAsking && "asked"];
      return [...is.filter(Boolean), await Promise.race([alive, late])].join();
    });
    return `hung: ${this.#doing}; ${(await Promise.all(tabs)).join("; ")}`;
  }

  async #strike(kind, tab) {
    if (tab === undefined) return "none";
    const { page } = tab;
    const strokes = {
      none: () => {},
      reload: () => reload(page),
      close: () => this.#close(tab),
      crash: () => crash(page),
      leave: () => leave(page, this.#site),
      logout: () => page.evaluate(() => window.bench.signOut()),
    };
    await strokes[kind]();
    return kind;
  }

  /** All tabs that are left ask in peace. Gives what was lost. */
  async #settle(told, before) {
    for (const tab of this.#tabs.filter(({ dead }) => dead))
      await this.#close(tab);
    if (this.#tabs.length === 0 && this.#canReopen) await this.#reopen();
    const { arrived } = this.#site;
    const { tally } = this;
    const hope = honoured(this.#grants, arrived);
    const answers = await this.#ask(
      this.#tabs,
      hope ? patience.calm : patience.hopeless,
    );
    const failed = answers.filter(({ valid }) => !valid);
    if (failed.length === 0 || tally !== this.tally) return undefined;
    const refreshes = this.#refreshes(before);
    const could = avoidable(refreshes, this.#grants, arrived);
    this.tally[could ? "avoidable" : "unavoidable"] += 1;
    this.tally.tabsLost += failed.length;
    return {
      contestant: this.contestant.name,
      storage: this.storage,
      avoidable: could,
      tabs: answers.length,
      lost: failed.length,
      reasons: [...new Set(failed.map(({ reason }) => reason))],
      requests: refreshes.map(({ status, fault }) => ({ status, fault })),
      ...told,
    };
  }

  /** The refresh requests since so many. */
  #refreshes(before) {
    const { requests } = this.#stage.control;
    return refreshesOf(this.#client, requests.slice(before));
  }

  #count(before) {
    const { due, requests: took } = account(
      this.#refreshes(before),
      this.#grants,
      this.#site.arrived,
    );
    this.tally.due += due;
    this.tally.requests += took;
  }

  async #end({ end, changes }) {
    this.#doing = `end, ${end}`;
    if (end === "logout") {
      const [tab] = this.#tabs;
      await tab.page.evaluate(() => window.bench.signOut());
      return this.#afterLogout();
    }
    if (end === "anew") await this.#enter(this.#tabs.at(-1));
    for (const { kind, tab } of changes) {
      this.#doing = `change, ${kind}`;
      await this.#change(kind, pick(this.#tabs, tab));
    }
    this.#doing = "save";
    await this.#save();
    return undefined;
  }

  async #change(kind, tab) {
    const roomy = this.#tabs.length < most;
    if (kind === "clone" && roomy)
      this.#add(await (this.#shared ? this.#open() : clone(tab.page)));
    // A duplicated tab: a copy of the storage in another renderer process.
    if (kind === "open" && roomy)
      this.#add(await this.#open(this.#shared ? {} : await dump(tab.page)));
    if (kind === "reopen" && roomy && this.#canReopen) await this.#reopen();
    if (kind === "reload") await reload(tab.page);
    if (kind === "close" && this.#tabs.length > 1) await this.#close(tab);
    const awake = this.#tabs.filter(({ frozen }) => !frozen);
    if (kind === "freeze" && awake.length > 1 && !tab.frozen) {
      await lifecycle(tab.page, "frozen");
      tab.frozen = true;
    }
  }

  #open(storage) {
    return open(this.#context, this.#site, storage);
  }

  async #reopen() {
    // The one that was closed longest ago.
    const storage = this.#shared ? {} : this.#closed.shift();
    this.#add(await this.#open(storage));
  }

  async #close(tab) {
    this.#tabs.splice(this.#tabs.indexOf(tab), 1);
    if (tab.saved !== undefined) this.#closed.push(tab.saved);
    await tab.page.close();
  }

  async #save() {
    if (this.#shared) return;
    for (const tab of this.#tabs)
      if (!tab.frozen) tab.saved = await dump(tab.page);
  }

  /** Nobody should get a token any more; then somebody signs in again. */
  async #afterLogout() {
    this.tally.logouts += 1;
    await sleep(200);
    const answers = await this.#ask(this.#tabs, patience.hopeless);
    this.tally.stayed += answers.filter(({ valid }) => valid).length;
    this.#forget();
    const [first, ...others] = this.#tabs;
    for (const tab of others) await this.#close(tab);
    this.#closed = [];
    if (first.dead) return this.#discard();
    return this.#enter(first);
  }

  async #discard() {
    this.#forget();
    this.#tabs = [];
    this.#closed = [];
    await this.#context?.close();
    this.#context = undefined;
  }

  #forget() {
    for (const id of this.#grants.keys()) this.#over.add(id);
  }
}

/** A round that takes so long is over: a page hangs. `told` says how it is. */
async function inTime(round, told) {
  let timer;
  const late = new Promise((_, reject) => {
    const give = async () => reject(new Error(await told()));
    timer = setTimeout(() => void give(), 60_000);
  });
  try {
    return await Promise.race([round, late]);
  } finally {
    clearTimeout(timer);
  }
}

const pick = (list, number) => list[Math.floor(number * list.length)];

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
