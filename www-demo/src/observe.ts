// What happens inside the sign-in, found out by what any page can do: a `fetch`
// of its own, its own address bar, its own storage and the browser's timings.

import type { Endpoint } from "countersign";

import type { Exchange, Fields, Journal, SignIn } from "./journal.ts";
import { abbreviate, redact, shorten, shown } from "./shorten.ts";

/** Of this page view; sets the requests made since the last load apart. */
export const thisView = Math.round(performance.timeOrigin);

const scriptStarted = Date.now();

/** The `transport` handed to countersign: `fetch`, and a note of what passed. */
export function recordingTransport(
  journal: Journal,
  onTokens: () => void,
): (request: Request, endpoint: Endpoint) => Promise<Response> {
  return async (request, endpoint) => {
    const started = performance.now();
    // Beside the request, not before it: watching must not slow it down.
    const noted = noteRequest(journal, request.clone(), endpoint, started);
    try {
      const response = await fetch(request);
      void noteAnswer(journal, noted, response.clone(), started);
      if (endpoint === "token" && response.ok) onTokens();
      return response;
    } catch (error) {
      void noteFailure(journal, noted, error, started);
      throw error;
    }
  };
}

async function noteRequest(
  journal: Journal,
  request: Request,
  endpoint: Endpoint,
  started: number,
): Promise<Exchange> {
  const form = await bodyOf(request);
  const exchange: Exchange = {
    endpoint,
    grantType: form.get("grant_type"),
    method: request.method,
    url: request.url,
    sent: fieldsOf(form),
    view: thisView,
    at: performance.timeOrigin + started,
    settledAt: null,
    status: null,
    answer: null,
    signedWith: null,
    failure: null,
    milliseconds: null,
  };
  journal.write(({ exchanges }) => exchanges.push(exchange));
  return exchange;
}

/** What was sent, as a form or as JSON. */
async function bodyOf(request: Request): Promise<URLSearchParams> {
  if (request.method !== "POST") return new URLSearchParams();
  const text = await request.text();
  const type = request.headers.get("content-type") ?? "";
  return new URLSearchParams(
    type.startsWith("application/json")
      ? (JSON.parse(text) as Record<string, string>)
      : text,
  );
}

async function noteAnswer(
  journal: Journal,
  noted: Promise<Exchange>,
  response: Response,
  started: number,
): Promise<void> {
  const text = await response.text().catch(() => "");
  const measured = performance.now() - started;
  const answer = parse(text);
  const exchange = await noted;
  const timing = networkTiming(exchange.url, started);
  journal.write(() => {
    exchange.status = response.status;
    exchange.answer = redact(answer);
    exchange.signedWith = signatureOf(answer);
    exchange.settledAt = exchange.at + measured;
    exchange.milliseconds = timing?.duration ?? measured;
  });
}

async function noteFailure(
  journal: Journal,
  noted: Promise<Exchange>,
  error: unknown,
  started: number,
): Promise<void> {
  const milliseconds = performance.now() - started;
  const exchange = await noted;
  journal.write(() => {
    exchange.failure = error instanceof Error ? error.name : "Error";
    exchange.settledAt = exchange.at + milliseconds;
    exchange.milliseconds = milliseconds;
  });
}

/** The browser's own figures for a request: no queue of this page is in them. */
function networkTiming(
  url: string,
  started: number,
): PerformanceEntry | undefined {
  return performance
    .getEntriesByName(url, "resource")
    .find((entry) => entry.startTime >= started - 1);
}

export function newSignIn(): SignIn {
  return {
    startedAt: Date.now(),
    leftAt: null,
    endpoint: "",
    parameters: [],
    verifier: null,
    storedUnder: null,
    stored: null,
    challengeSent: "",
    challengeComputed: null,
    stateDigest: "",
    returnedAt: null,
    returned: [],
    stateIsOurs: false,
    issuerIsOurs: null,
    appState: null,
    completedAt: null,
  };
}

/** The `navigate` handed to `login()`: writes down where the browser is sent, then sends it. */
export function recordingNavigate(
  journal: Journal,
): (url: string) => Promise<void> {
  return async (url) => {
    const { origin, pathname, searchParams } = new URL(url);
    const sentState = searchParams.get("state") ?? "";
    const challenge = searchParams.get("code_challenge") ?? "";
    const stored = storedTransaction(sentState);
    const verifier = await verifierIn(stored?.record, challenge);
    const stateDigest = await sha256(sentState);
    journal.write(({ signIn }) => {
      if (signIn === null) return;
      signIn.leftAt = Date.now();
      signIn.endpoint = origin + pathname;
      signIn.parameters = fieldsOf(searchParams);
      signIn.challengeSent = challenge;
      signIn.challengeComputed = verifier === null ? null : verifier.hash;
      signIn.verifier = verifier === null ? null : shorten(verifier.value);
      signIn.storedUnder = stored === null ? null : stored.key;
      signIn.stored = redact(stored?.record ?? null);
      signIn.stateDigest = stateDigest;
    });
    location.assign(url);
  };
}

/** The same for `logout()`. */
export function recordingLogout(journal: Journal): (url: string) => void {
  return (url) => {
    const { origin, pathname, searchParams } = new URL(url);
    journal.write(({ logOut }) => {
      if (logOut === null) return;
      logOut.endpoint = origin + pathname;
      logOut.parameters = fieldsOf(searchParams);
    });
    location.assign(url);
  };
}

/** Reads the address bar. Must run before `createAuth`, which cleans it. */
export function readReturn(): URLSearchParams | null {
  const { searchParams } = new URL(location.href);
  const answered = searchParams.has("code") || searchParams.has("error");
  return searchParams.has("state") && answered ? searchParams : null;
}

export async function noteReturn(
  journal: Journal,
  answer: URLSearchParams,
  issuer: string,
): Promise<void> {
  const digest = await sha256(answer.get("state") ?? "");
  const iss = answer.get("iss");
  journal.write(({ signIn }) => {
    if (signIn === null || signIn.returnedAt !== null) return;
    signIn.returnedAt = scriptStarted;
    signIn.returned = fieldsOf(answer);
    signIn.stateIsOurs = signIn.stateDigest === digest;
    signIn.issuerIsOurs = iss === null ? null : iss === issuer;
  });
}

/** countersign keeps one record per pending login, under a key of its own. */
function storedTransaction(
  state: string,
): { key: string; record: unknown } | null {
  for (const key of Object.keys(sessionStorage)) {
    const text = sessionStorage.getItem(key) ?? "";
    const isOurs = key.startsWith("countersign:") && state !== "";
    if (isOurs && (key.includes(state) || text.includes(state))) {
      return {
        key: key.replace(state, abbreviate(state)),
        record: parse(text),
      };
    }
  }
  return null;
}

/** The verifier is whichever stored string hashes to the challenge; its name is not ours to know. */
async function verifierIn(
  record: unknown,
  challenge: string,
): Promise<{ value: string; hash: string } | null> {
  for (const value of stringsIn(record)) {
    if (!/^[\w.~-]{43,128}$/.test(value)) continue;
    const hash = await sha256(value);
    if (hash === challenge) return { value, hash };
  }
  return null;
}

function stringsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (value === null || typeof value !== "object") return [];
  return Object.values(value).flatMap(stringsIn);
}

/** BASE64URL(SHA-256(text)), as RFC 7636 §4.2 has it. */
async function sha256(text: string): Promise<string> {
  const hash = await crypto.subtle.digest(
    "SHA-256",
    new TextEncoder().encode(text),
  );
  return btoa(String.fromCharCode(...new Uint8Array(hash)))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

function signatureOf(answer: unknown): string | null {
  if (answer === null || typeof answer !== "object") return null;
  const token = (answer as Record<string, unknown>)["id_token"];
  if (typeof token !== "string") return null;
  try {
    const [header = ""] = token.split(".");
    const { alg, kid } = JSON.parse(
      atob(header.replaceAll("-", "+").replaceAll("_", "/")),
    ) as Record<string, unknown>;
    return `${String(alg)}, key ${String(kid)}`;
  } catch {
    return null;
  }
}

function fieldsOf(parameters: URLSearchParams): Fields {
  return [...parameters].map(([name, value]) => [name, shown(name, value)]);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text === "" ? null : text.slice(0, 200);
  }
}
