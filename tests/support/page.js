// What the test page offers to the tests: the package, and short ways to drive it from outside.

import { createAuth, isAuthError } from "countersign";
import { createAuth as createExternal } from "countersign/external";
import * as providers from "countersign/providers";

Object.assign(window, {
  createAuth,
  createExternal,
  isAuthError,
  providers,
  loadCore: () => import("countersign-inside/core.js"),
  loadSecondary: async () => {
    const { joined } = await import("countersign-inside/streams.js");
    return joined(
      await import("countersign-inside/secondary-inline.js"),
      Error,
    );
  },
  loadAxios: () => Promise.all([import("axios"), import("countersign/axios")]),
  start,
  attempt,
  plain,
  stackOf,
  stored,
});

/** For the search of what a test has produced: no secret may be in it. */
const produced = (what) => console.debug(`produced ${JSON.stringify(what)}`);

/** Makes the client as `window.auth`, and notes what it tells from then on: the states, and the moments. */
function start(options, create = createAuth) {
  const auth = create({ log: produced, ...options });
  window.auth = auth;
  window.states = [];
  window.moments = [];
  auth.subscribe((state) => {
    window.states.push(plain(state));
    produced(state);
  });
  for (const type of [
    "signedIn",
    "signedOut",
    "refreshed",
    "refreshFailed",
    "warning",
  ])
    auth.on(type, (event) => {
      window.moments.push({ type, ...plain({ ...event }) });
      produced({ ...event });
    });
  return auth;
}

/** The frames of an error's stack, without the driver's: Firefox names those after the URL that the page was loaded from. */
function stackOf(error) {
  const frames = String(error?.stack).split("\n");
  return frames.filter((frame) => frame.includes("/assets/")).join("\n");
}

/** What came of a call: `{ value }` or `{ error }`, as data. */
async function attempt(call) {
  try {
    return { value: plain(await call()) };
  } catch (error) {
    produced([plain(error), String(error), stackOf(error), error?.cause]);
    return { error: plain(error) };
  }
}

/** A value as data that a driver can carry; an error of ours with all that it says. */
function plain(value) {
  if (isAuthError(value)) {
    const { name, code, details, retryable, message, hint } = value;
    return { name, code, details, retryable, message, hint };
  }
  if (value instanceof Error)
    return { name: value.name, message: value.message, foreign: true };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, member]) => [key, plain(member)]),
    );
  return value;
}

/** What a storage holds, byte by byte. */
function stored(storage = sessionStorage) {
  return Object.fromEntries(
    Object.keys(storage)
      .sort()
      .map((key) => [key, storage.getItem(key)]),
  );
}
