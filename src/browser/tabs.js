// What all tabs of an origin share: the mailbox in IndexedDB, and a channel that is its doorbell. Without IndexedDB, tabs
// that are awake hand each other on the channel what the mailbox would have kept. docs/sessions.md has the reasons.

/** The database, opened without a version number, and its one store. The layout never changes: entries carry a version. */
const [database, store] = ["countersign", "log"];
const v = 1;

/** An open that takes longer counts as absent, in milliseconds. */
const patience = 1_500;

/** A transaction may take so long: who holds the lock would send an old token if it did not wait for a slow disk. */
const longest = 10_000;

/** After so long a database that was absent is tried again. */
const again = 60_000;

/** Tabs that are awake have so long to say what they know; when one has spoken, the others have so long. */
const [answers, others] = [1_000, 100];

/** So many letters are kept, and so many families that have ended: these for 400 days at least. */
const most = 500;
const keep = 400 * 86_400_000;

/** A ticket that no call has, and the code of a call that failed; `port.rs` has the same numbers. */
const ring = 3;
const [absent, unanswered] = [1, 2];

/** Methods of an object, as they are now. */
export function taken(object, names) {
  const method = (name) => [name, object[name]?.bind(object)];
  return object && Object.fromEntries(names.map(method));
}

/**
 * What `start` gives, also to a page that was in the back/forward cache meanwhile: in Firefox, what ends while a page is
 * there never ends for the page, so it is started again.
 */
export function lasting(start) {
  let cameBack;
  return new Promise((resolve, reject) => {
    const begin = () => start().then(resolve, reject);
    cameBack = ({ persisted }) => persisted && begin();
    globalThis.addEventListener?.("pageshow", cameBack);
    begin();
  }).finally(() => globalThis.removeEventListener?.("pageshow", cameBack));
}

export class Tabs {
  /** Told what the channel says of locks. */
  onLock = () => {};
  /** The page's own, as they are now. */
  #page = {
    BroadcastChannel: globalThis.BroadcastChannel,
    ...taken(globalThis.IDBKeyRange, ["bound"]),
    ...taken(factory(), ["open"]),
  };
  #tell;
  #db;
  #opening;
  #retrying;
  #sweeping;
  #channel;
  /** What the mailbox would keep, by family, while there is none. */
  #kept = new Map();
  /** Who waits for other tabs to say what they know, with the family. */
  #asking = new Map();

  constructor(tell) {
    this.#tell = tell;
    this.#come();
    globalThis.addEventListener?.("pageshow", this.#come);
    globalThis.addEventListener?.("pagehide", this.#go);
  }

  /** Tells what there is of a family: nothing, or a generation (`Infinity` when it has ended) and a sealed text. */
  async newest(ticket, family) {
    let code = 0;
    let found;
    try {
      found = await this.#read(family);
      if (found?.unanswered) code = unanswered;
    } catch {
      code = absent;
      found = await this.#ask(family);
    }
    const { generation, sealed } = found ?? {};
    this.#tell(ticket, code, found ? `${generation}\n${sealed}` : "");
  }

  /** Adds a letter; tells nothing, or the generation, the same or a later one, that was there. */
  async post(ticket, family, generation, owner, sealed) {
    const key = [family, generation];
    let [code, text, top] = [0, ""];
    // Nothing is read first and nothing is waited for: this way it outlives the page.
    const written = this.commit((log) => {
      const above = log.getAllKeys(this.#from(key));
      above.onsuccess = () => (top = newestOf(above.result));
      return [
        log.add({ v, owner, sealed, at: Date.now() }, key),
        log.delete(this.#below(key)),
      ];
    });
    // The same generation undoes it all.
    const done = await written.then(Boolean, () => top >= generation);
    if (done) {
      if (top >= generation) text = `${top}`;
      // What came too late does not stay.
      if (top > generation)
        this.commit((log) => [log.delete(key)]).catch(() => {});
      this.#sweeping ??= setTimeout(() => this.#sweep(), patience);
    } else {
      code = absent;
      this.#keep(family, { generation, owner, sealed });
      this.send({ family, generation, owner, sealed });
    }
    this.#tell(ticket, code, text);
  }

  /** Notes that a refresh of this generation has no answer, or that it is known what became of it. */
  mark(family, generation, has) {
    const key = [family, generation + 0.5];
    this.commit((log) => [
      has ? log.put({ v, at: Date.now() }, key) : log.delete(key),
    ]).catch(() => {});
  }

  /** Ends a family, and all of the owner; tells nothing, or the later generation because of which it did not. */
  async endFamily(ticket, family, owner, unlessAbove) {
    const ended = new Set([family]);
    let [code, text] = [0, ""];
    const bury = (log, family) => {
      log.put({ v, owner, at: Date.now() }, [family, Infinity]);
      return log.delete(this.#below([family, Infinity]));
    };
    try {
      const isBlind = unlessAbove === undefined;
      await Promise.all([
        isBlind && this.commit((log) => [bury(log, family)]),
        // What depends on what is there does not outlive the page.
        (owner || !isBlind) &&
          this.#each(owner ? undefined : this.#from([family]), (log, all) => {
            const keys = all.map(([key]) => key);
            const top = newestOf(keys.filter(([its]) => its === family));
            if (top > unlessAbove && top < Infinity) return (text = `${top}`);
            for (const [key, entry] of all)
              if (owner && entry.owner === owner && key[1] < Infinity)
                ended.add(key[0]);
            for (const family of ended) bury(log, family);
          }),
      ]);
      if (text) return this.#tell(ticket, 0, text);
      const all = [...ended, ...this.#bury(family, owner)];
      for (const family of new Set(all)) this.ring(family, Infinity);
    } catch {
      const known = this.#kept.get(family)?.generation;
      if (known > unlessAbove && known < Infinity) text = `${known}`;
      else {
        code = absent;
        this.#bury(family, owner);
        this.send({ family, generation: Infinity, owner, sealed: "" });
      }
    }
    this.#tell(ticket, code, text);
  }

  /** Rings in the other tabs. */
  ring(family, generation) {
    this.send({ family, generation });
  }

  /** Says something on the channel; whether there is one. */
  send(message) {
    try {
      this.#channel.postMessage(message);
      return true;
    } catch {
      return false;
    }
  }

  /**
   * Makes requests in one transaction, in this turn if the connection is open; gives their results once it is complete.
   */
  async run(work, mode = "readwrite") {
    if (!this.#db) await this.#connect();
    return lasting(() => this.#transact(work, mode));
  }

  async #transact(work, mode) {
    let transaction;
    try {
      transaction = this.#db.transaction(store, mode);
    } catch (cause) {
      // Closed without a word.
      this.#forget();
      throw cause;
    }
    const requests = work(transaction.objectStore(store));
    let late;
    return new Promise((resolve, reject) => {
      transaction.oncomplete = () =>
        resolve(requests.map(({ result }) => result));
      transaction.onabort = reject;
      late = setTimeout(reject, longest);
    }).finally(() => clearTimeout(late));
  }

  /**
   * The same, when no request depends on another's result: it is committed even if the page goes at once, and keeps
   * nobody waiting if the page is frozen.
   */
  commit(work, mode) {
    return this.run((log) => {
      const requests = work(log);
      log.transaction.commit?.();
      return requests;
    }, mode);
  }

  end() {
    globalThis.removeEventListener?.("pageshow", this.#come);
    globalThis.removeEventListener?.("pagehide", this.#go);
    // A timer would hold all of wasm until it goes off.
    clearTimeout(this.#sweeping);
    clearTimeout(this.#retrying);
    this.#go();
    this.#forget();
  }

  /** A message would throw a page out of the back/forward cache: there, the channel is closed. */
  #go = () => {
    this.#channel?.close();
    this.#channel = undefined;
  };

  #come = () => {
    try {
      this.#channel ??= new this.#page.BroadcastChannel(database);
      this.#channel.onmessage = ({ data }) => this.#hear(Object(data));
    } catch {
      // Each tab is on its own.
    }
  };

  /** Any script of the origin can say anything here. */
  #hear({ family, generation, sealed, owner, ask, lock, claim }) {
    if (typeof lock === "string" && typeof claim !== "object")
      this.onLock(lock, claim);
    if (typeof family !== "string") return;
    if (ask) this.#answer(family);
    if (!isGeneration(generation)) return;
    let rung = [family];
    if (typeof sealed === "string") {
      this.#keep(family, { generation, sealed, owner });
      for (const [settle, asked] of this.#asking)
        if (asked === family) setTimeout(settle, others);
      rung = generation < Infinity ? [] : this.#bury(family, owner);
    }
    for (const family of rung) this.#tell(ring, 0, `${generation}\n${family}`);
  }

  async #answer(family) {
    const found = await this.#read(family).catch(() => this.#kept.get(family));
    if (found) this.send({ family, ...found });
  }

  /** Asks the tabs that are awake. */
  #ask(family) {
    const known = () => this.#kept.get(family);
    if (known()?.generation === Infinity || !this.send({ family, ask: true }))
      return known();
    return new Promise((resolve) => {
      const settle = () => {
        this.#asking.delete(settle);
        resolve(known());
      };
      this.#asking.set(settle, family);
      setTimeout(settle, answers);
    });
  }

  #keep(family, letter) {
    const known = this.#kept.get(family);
    if (!(known?.generation >= letter.generation))
      this.#kept.set(family, letter);
  }

  /** Ends a family and all of the owner that are kept here; gives them. */
  #bury(family, owner) {
    const ended = [family];
    for (const [other, kept] of this.#kept)
      if (owner && kept.owner === owner && kept.generation < Infinity)
        ended.push(other);
    for (const family of ended)
      this.#kept.set(family, { generation: Infinity, sealed: "" });
    return ended;
  }

  /** The newest of a family, in the mailbox or, since another tab may be without one, kept here. */
  async #read(family) {
    const all = this.#from([family]);
    const [keys, entries] = await this.commit(
      (log) => [log.getAllKeys(all), log.getAll(all)],
      "readonly",
    );
    const generations = keys.map(generationOf);
    let best = this.#kept.get(family);
    generations.forEach((generation, at) => {
      const { v: its, owner, sealed = "" } = Object(entries[at]);
      // An end is an end, whatever version has written it.
      const isOurs = its === v && typeof sealed === "string";
      if (!isGeneration(generation) || !(isOurs || generation === Infinity))
        return;
      if (!(best?.generation > generation))
        best = { generation, owner, sealed };
    });
    return (
      best && {
        ...best,
        unanswered: generations.includes(best.generation + 0.5),
      }
    );
  }

  /** Gives each key and entry in this range to `decide`, in one transaction with what that changes. */
  #each(range, decide) {
    return this.run((log) => {
      const keys = log.getAllKeys(range);
      const entries = log.getAll(range);
      entries.onsuccess = () => {
        const entry = (key, at) => [key, Object(entries.result[at])];
        decide(log, keys.result.map(entry));
        log.transaction.commit?.();
      };
      return [];
    });
  }

  /** Drops the oldest, by number and never by age alone: clocks jump. */
  #sweep() {
    this.#each(undefined, (log, all) => {
      all.sort(([, a], [, b]) => b.at - a.at);
      const counts = [0, 0];
      for (const [key, { at }] of all) {
        const hasEnded = key[1] === Infinity;
        const isSurplus = ++counts[+hasEnded] > most;
        if (isSurplus && !(hasEnded && at > Date.now() - keep)) log.delete(key);
      }
    }).catch(() => {});
  }

  /** From this key to the last of its family. */
  #from(key) {
    return this.#page.bound(key, [key[0], []]);
  }

  /** All of its family before this key. */
  #below(key) {
    return this.#page.bound([key[0]], key, false, true);
  }

  #connect() {
    let late;
    const open = (resolve, reject) => {
      clearTimeout(late);
      late = setTimeout(reject, patience);
      const request = this.#page.open(database);
      request.onupgradeneeded = () => request.result.createObjectStore(store);
      request.onerror = reject;
      request.onsuccess = () => {
        // One is enough, where it was asked for twice.
        if (this.#db) request.result.close();
        this.#db ??= request.result;
        this.#db.onversionchange = this.#forget;
        this.#db.onclose = this.#forget;
        resolve();
      };
    };
    const retry = () => (this.#opening = undefined);
    return (this.#opening ??= lasting(() => new Promise(open))
      .finally(() => clearTimeout(late))
      .catch((cause) => {
        this.#retrying = setTimeout(retry, again);
        throw cause;
      }));
  }

  /** Gives the connection up; the next use opens another. */
  #forget = () => {
    this.#db?.close();
    this.#db = this.#opening = undefined;
  };
}

const generationOf = (key) => (key.length === 2 ? key[1] : undefined);

const isGeneration = (it) =>
  it === Infinity || (Number.isSafeInteger(it) && it >= 0);

const newestOf = (keys) =>
  Math.max(...keys.map(generationOf).filter(isGeneration));

/** IndexedDB; access to it may be denied. */
function factory() {
  try {
    return globalThis.indexedDB;
  } catch {
    return undefined;
  }
}
