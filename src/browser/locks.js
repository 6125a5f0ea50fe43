// Keeps tabs apart: by a Web Lock; where there is none or it is refused, by a lease beside the mailbox; without a database
// by claims on the channel, which only tabs that are awake can answer.

/** What a wish comes to; `locks.rs` has the same numbers. */
const [locked, absent, timeout, leased] = [0, 1, 2, 3];

/** A lease outlives its wish by more than a throttled timer, in milliseconds. */
const margin = 60_000;

/** Who waits looks again after so long, or when told that the lock is free. */
const pause = 300;

/** A claim stands when so long nobody has answered with a lower one. Who holds the lock claims lower than anyone. */
const objections = 100;
const held = -1;

export class Locks {
  #tell;
  #tabs;
  #wishes = new Map();
  #waiting = new Set();
  #claims = new Set();
  /** The lease that was seen last, by name, and since when. */
  #seen = new Map();

  constructor(tell, tabs) {
    this.#tell = tell;
    this.#tabs = tabs;
    tabs.onLock = (name, id) => this.#hear(name, id);
    globalThis.addEventListener?.("pagehide", this.#leave);
  }

  /** Waits for a lock, so many seconds at the most. */
  async lock(ticket, name, seconds) {
    const wish = new AbortController();
    const { signal } = wish;
    const over = new Promise((end) => signal.addEventListener("abort", end));
    const timer = setTimeout(() => wish.abort(), seconds * 1000);
    let granted = false;
    const grant = (code) => {
      if (signal.aborted) return;
      granted = true;
      clearTimeout(timer);
      wish.isLock = code === locked;
      this.#tell(ticket, code, "");
      return over;
    };
    this.#wishes.set(ticket, wish);
    for (const way of [
      // Nothing of `navigator` before it is needed: it brings the engine to make 16 KiB.
      () => navigator.locks.request(name, { signal }, () => grant(locked)),
      () => this.#lease(name, seconds * 1000 + margin, signal, grant),
      () => this.#claim(name, signal, grant),
    ])
      try {
        if (!granted && !signal.aborted) await way();
      } catch {
        // The next one.
      }
    this.#wishes.delete(ticket);
    if (!granted) this.#tell(ticket, signal.aborted ? timeout : absent, "");
  }

  /** Gives a lock back, or the wish for one up. */
  release(ticket) {
    this.#wishes.get(ticket)?.abort();
  }

  end() {
    globalThis.removeEventListener?.("pagehide", this.#leave);
    for (const wish of this.#wishes.values()) wish.abort();
  }

  /** A page that goes stands in nobody's way; a lock that it holds the browser gives back when it dies. */
  #leave = () => {
    for (const wish of this.#wishes.values()) if (!wish.isLock) wish.abort();
  };

  async #lease(name, length, signal, grant) {
    const key = ["lease", name];
    while (!signal.aborted) {
      const [wall, since] = [Date.now(), performance.now()];
      let mine = false;
      const giveBack = () => {
        const late = isPast(wall, since, length);
        const still = mine && !late;
        mine = false;
        if (still)
          this.#tabs
            .commit((log) => [log.delete(key)])
            .then(() => this.#say({ name }))
            .catch(() => {});
      };
      // One transaction, so that of two who find it free one has it.
      const asked = this.#tabs.run((log) => {
        const request = log.get(key);
        request.onsuccess = () => {
          mine = !signal.aborted && this.#isFree(name, request.result, length);
          if (!mine) return;
          const until = wall + length;
          log.put({ v: 1, id: Math.random(), until, at: wall }, key);
          log.transaction.commit?.();
          // In the turn in which it ends: the page may be going.
          signal.addEventListener("abort", giveBack);
        };
        return [];
      });
      try {
        await asked;
      } catch (cause) {
        giveBack();
        throw cause;
      }
      if (mine) return grant(leased);
      await this.#wait();
    }
  }

  /** Whether a lease is over by its own time, or was seen unchanged for a whole length: clocks jump. */
  #isFree(name, row, length) {
    const { id, until } = Object(row);
    const seen = this.#seen.get(name);
    if (!seen || seen.id !== id)
      this.#seen.set(name, { id, since: performance.now() });
    else if (performance.now() - seen.since > length) return true;
    return !(until > Date.now());
  }

  async #claim(name, signal, grant) {
    while (!signal.aborted) {
      const claim = { name, id: Math.random() };
      this.#claims.add(claim);
      if (!this.#say(claim)) return void this.#claims.delete(claim);
      await new Promise((resolve) =>
        setTimeout(resolve, objections * (1 + Math.random() / 2)),
      );
      if (!claim.isLost) {
        claim.id = held;
        await grant(leased);
      }
      this.#claims.delete(claim);
      if (claim.id === held) return this.#say({ name });
      await this.#wait();
    }
  }

  /** To who else waits in this tab, and to the other tabs; whether there is a channel. */
  #say({ name, id }) {
    this.#hear(name, id);
    return this.#tabs.send({ lock: name, claim: id });
  }

  /** Somebody claims a lock or, without a claim, has given it back. */
  #hear(name, id) {
    if (id === undefined) for (const wake of this.#waiting) wake();
    for (const claim of this.#claims) {
      if (claim.name !== name) continue;
      if (id < claim.id) claim.isLost = true;
      // One that has lost objects to nobody: what beat it does, and objections to objections would have no end.
      else if (id > claim.id && !claim.isLost) this.#say(claim);
    }
  }

  #wait() {
    return new Promise((resolve) => {
      const wake = () => {
        this.#waiting.delete(wake);
        resolve();
      };
      this.#waiting.add(wake);
      setTimeout(wake, pause * (0.5 + Math.random()));
    });
  }
}

const isPast = (wall, since, length) =>
  Date.now() - wall >= length || performance.now() - since >= length;
