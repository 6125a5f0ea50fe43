// What Rust cannot do by itself, in as few crossings as possible: numbers and texts go over, nothing throws, and answers
// come later, by one callback. Nothing runs at import.

import { Locks } from "./locks.js";
import { lasting, Tabs, taken } from "./tabs.js";

/** No document of an authorization server is larger, in bytes. */
const largest = 1 << 20;

/** A timer is set no further ahead, in milliseconds: browsers throttle and sleep, so Rust is asked again. */
const longest = 60_000;

/** What brings a page back, or a shared storage up to date, and where it is fired: `resume` does not bubble. */
const comebacks = [
  ...["visibilitychange", "pageshow", "online", "focus", "storage"].map(
    (event) => [event, () => globalThis],
  ),
  ["resume", () => globalThis.document],
];

/** Tickets that no call has, and codes of calls that failed; `port.rs` has the same numbers. */
const [run, wake, resume, ring] = [0, 1, 2, 3];
const [absent, timeout, offline, tooLarge] = [1, 2, 3, 1000];
const unsupported = 2;

/** Loads the rest of the program; the npm package has it apart (docs/size.md). */
let [loadRest, loading] = [async () => {}];
export const setSecondary = (load) => (loadRest = load);

/** Those that have not ended. */
const ports = new Set();

/** Ends all: what wasm waits for is not told to it any more, and nobody waits for wasm. */
export const endAll = () => ports.forEach((port) => port.end());

export class Port {
  /** The page's own, as they are now: what a script puts in their place later sees nothing of ours. */
  #page = {
    Response,
    parse: JSON.parse,
    ...taken(globalThis, ["fetch"]),
    subtle: taken(globalThis.crypto?.subtle, ["importKey", "verify", "digest"]),
  };
  #tell;
  #transport;
  #log;
  #timer;
  /** Of a storage, only what another tab has written of ours: that is a ring, and nobody came back. */
  #resume = ({ type, key }) => {
    // A page that goes must not begin to read: with a transaction it does not stay in the back/forward cache.
    if (type === "visibilitychange" && document.hidden) return;
    if (type !== "storage") this.#tell(resume, 0, "");
    else if (key?.startsWith("countersign") ?? true) this.#tell(ring, 0, "0\n");
  };

  /** `tell(ticket, code, text)` answers the call with this ticket. */
  constructor(tell, transport, log) {
    ports.add(this);
    this.#tell = tell;
    this.#transport = transport;
    // Nobody else needs one, and the engine makes 5 KiB of it.
    this.#page.Request = transport && Request;
    this.#log = log;
    const answer = (...all) => this.#tell(...all);
    this.tabs = new Tabs(answer);
    this.locks = new Locks(answer, this.tabs);
  }

  runSoon() {
    queueMicrotask(() => this.#tell(run, 0, ""));
  }

  /**
   * Status; content type, `Retry-After`, `WWW-Authenticate` and body, a line each. Without cookies, cache and referrer,
   * and no redirect is followed (RFC 9700 §4.12).
   */
  async exchange(ticket, url, endpoint, body, json, token, seconds) {
    const controller = new AbortController();
    const { signal } = controller;
    // A transport of the application's need not listen to the signal. Of two answers, Rust takes the first.
    const late = setTimeout(() => {
      controller.abort();
      this.#tell(ticket, timeout, "");
    }, seconds * 1000);
    // The page may be left at once: a revocation gets through all the same.
    const keepalive = endpoint === "revocation";
    const headers = { accept: "application/json" };
    if (body !== undefined)
      headers["content-type"] =
        `application/${json ? "json" : "x-www-form-urlencoded"}`;
    if (token !== undefined) headers.authorization = `Bearer ${token}`;
    let code;
    let text = "";
    try {
      const { Request, Response, fetch } = this.#page;
      const options = {
        // Whatever else a script gave to all objects is none of these.
        __proto__: null,
        method: body === undefined ? "GET" : "POST",
        body,
        headers,
        mode: "cors",
        credentials: "omit",
        cache: "no-store",
        redirect: "error",
        referrerPolicy: "no-referrer",
        keepalive,
        signal: keepalive ? null : signal,
      };
      const transport = this.#transport;
      // Firefox does not see the `keepalive` of a Request.
      const response = await (transport?.(
        new Request(url, options),
        endpoint,
      ) ?? fetch(url, options));
      if (!(response instanceof Response)) throw new TypeError();
      const header = (name) => response.headers.get(name) ?? "";
      text = `${header("content-type")}\n${header("retry-after")}\n${header("www-authenticate")}\n`;
      const content = await read(response, signal);
      code = response.status + (content === undefined ? tooLarge : 0);
      text += content;
    } catch {
      const { onLine } = navigator;
      code = signal.aborted ? timeout : onLine === false ? offline : absent;
    }
    // Until it goes off it would hold all of wasm, also of a client that was disposed.
    clearTimeout(late);
    this.#tell(ticket, code, text);
  }

  loadSecondary(ticket) {
    (loading ??= lasting(loadRest)).then(
      () => this.#tell(ticket, 0, ""),
      () => {
        loading = undefined;
        this.#tell(ticket, absent, "");
      },
    );
  }

  /** `crypto.subtle` is missing on plain http beyond loopback. */
  canVerify() {
    return !!this.#page.subtle;
  }

  /** 1, and a hash, if the signature is right; a key or signature that the engine refuses is no match. */
  async verify(ticket, algorithm, jwk, ...bytes) {
    // Copies: the wasm's memory may move while the key is imported.
    const copies = bytes.map((view) => view.slice());
    let answer;
    try {
      const { parse, subtle } = this.#page;
      const key = parse(jwk);
      answer = await lasting(() => verify(subtle, algorithm, key, ...copies));
    } catch ({ name }) {
      answer = [name === "NotSupportedError" ? unsupported : 0, ""];
    }
    this.#tell(ticket, ...answer);
  }

  wakeAt(millis) {
    clearTimeout(this.#timer);
    const wait = Math.min(Math.max(millis - Date.now(), 0), longest);
    // Woken early, Rust wishes again: the clock may have been put back meanwhile.
    this.#timer = setTimeout(() => this.#tell(wake, 0, ""), wait);
  }

  watchComebacks() {
    for (const [event, target] of comebacks)
      target()?.addEventListener?.(event, this.#resume);
  }

  log(level, message, name, value) {
    try {
      this.#log?.(level, message, name, value);
    } catch {
      // A receiver that throws is its own business.
    }
  }

  end() {
    ports.delete(this);
    this.#tell = () => {};
    clearTimeout(this.#timer);
    for (const [event, target] of comebacks)
      target()?.removeEventListener?.(event, this.#resume);
    this.locks.end();
    this.tabs.end();
  }
}

/** Reads the body piece by piece, so that a huge one is refused before it is held. */
async function read(response, signal) {
  // As in Rust: no byte order mark is swallowed, no broken sequence replaced.
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const reader = response.body?.getReader();
  let [text, size, done] = ["", 0, !reader];
  while (!done && !signal.aborted) {
    let value;
    ({ done, value } = await reader.read());
    size += value?.length ?? 0;
    if (size > largest) {
      reader.cancel().catch(() => {});
      return undefined;
    }
    try {
      text += decoder.decode(value, { stream: !done });
    } catch {
      // An answer, if no document: what stands for it is no JSON.
      return "\ufffd";
    }
  }
  return text;
}

const families = { RS: "RSASSA-PKCS1-v1_5", PS: "RSA-PSS", ES: "ECDSA" };

/** Checks a signature by an algorithm with this registered name (RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2). */
async function verify(subtle, algorithm, jwk, signed, signature, hashed) {
  const [family, size] = [algorithm.slice(0, 2), algorithm.slice(2)];
  // RFC 8032 §5.1: Ed25519 hashes with SHA-512.
  const hash = `SHA-${family === "Ed" ? 512 : size}`;
  // One object serves both calls, and every algorithm: each takes the members that it knows.
  const parameters = {
    name: families[family] ?? jwk.crv,
    namedCurve: jwk.crv,
    hash,
    // RFC 7518 §3.5: as long as the digest.
    saltLength: size / 8,
  };
  const usages = ["verify"];
  const key = await subtle.importKey("jwk", jwk, parameters, false, usages);
  if (!(await subtle.verify(parameters, key, signature, signed)))
    return [0, ""];
  return [1, half(await subtle.digest(hash, hashed))];
}

/** The left half of a digest in base64url, as `at_hash` has it. */
function half(digest) {
  const bytes = new Uint8Array(digest, 0, digest.byteLength / 2);
  const text = btoa(String.fromCharCode(...bytes));
  return text.replace(/=+$/, "").replace(/\+/g, "-").replace(/\//g, "_");
}

export const monotonic = () => performance.now();

export const assign = (url) => location.assign(url);

/** The tab's sessionStorage; `null` where the browser denies it. */
export function tabStorage() {
  try {
    return sessionStorage;
  } catch {
    return null;
  }
}

/** What is stored, `""` where there is nothing, `undefined` where access is denied. */
export function load(storage, key) {
  try {
    return String(storage.getItem(key) ?? "");
  } catch {
    return undefined;
  }
}

/** Whether it could be stored; without a value, removed. */
export function save(storage, key, value) {
  try {
    if (value === undefined) storage.removeItem(key);
    else storage.setItem(key, value);
    return true;
  } catch {
    return false;
  }
}

/** The keys that begin so, a line each. */
export function keys(storage, prefix) {
  const ours = (key) => key.startsWith(prefix);
  return Object.keys(storage).filter(ours).join("\n");
}
