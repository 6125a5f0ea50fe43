import type { Endpoint } from "countersign";

/** One request to the provider, as the page's own `transport` saw it. */
export interface Exchange {
  readonly endpoint: Endpoint;
  readonly grantType: string | null;
  readonly method: string;
  readonly url: string;
  readonly sent: Fields;
  /** Which page view it belongs to. */
  readonly view: number;
  /** When countersign asked and when it had the whole answer, in epoch milliseconds. */
  readonly at: number;
  settledAt: number | null;
  status: number | null;
  answer: unknown;
  /** Header of the ID Token in the answer: algorithm and key. */
  signedWith: string | null;
  failure: string | null;
  /** What the browser's own clock says the network took. */
  milliseconds: number | null;
}

/** One call of the protected API. */
export interface Call {
  readonly method: string;
  readonly url: string;
  readonly token: string;
  readonly status: number | null;
  readonly answer: unknown;
  readonly failure: string | null;
  readonly at: number;
  readonly milliseconds: number;
}

export type Fields = readonly (readonly [name: string, value: string])[];

export interface SignIn {
  readonly startedAt: number;
  leftAt: number | null;
  endpoint: string;
  parameters: Fields;
  verifier: string | null;
  storedUnder: string | null;
  stored: unknown;
  challengeSent: string;
  challengeComputed: string | null;
  stateDigest: string;
  returnedAt: number | null;
  returned: Fields;
  stateIsOurs: boolean;
  issuerIsOurs: boolean | null;
  appState: unknown;
  completedAt: number | null;
}

export interface LoggedEvent {
  readonly at: number;
  readonly type: string;
  readonly text: string;
  readonly bad: boolean;
}

/** Where the browser was sent to log out; `endpoint` is `null` where there is no such place. */
export interface LogOut {
  readonly at: number;
  endpoint: string | null;
  parameters: Fields;
}

export interface Entries {
  signIn: SignIn | null;
  logOut: LogOut | null;
  exchanges: Exchange[];
  calls: Call[];
  events: LoggedEvent[];
}

export interface Journal {
  readonly entries: Entries;
  /** Changes the entries, keeps them over the redirect, and shows them. */
  write(change: (entries: Entries) => void): void;
}

/** The page's own record, one for each provider. Secrets are shortened before they come here. */
export function openJournal(
  provider: string,
  onChange: (entries: Entries) => void,
): Journal {
  const key = `demo:journal:${provider}`;
  const entries = read(key);
  return {
    entries,
    write(change) {
      change(entries);
      keepLast(entries.exchanges, 60);
      keepLast(entries.calls, 20);
      keepLast(entries.events, 100);
      store(key, entries);
      onChange(entries);
    },
  };
}

function read(key: string): Entries {
  const empty = {
    ...{ signIn: null, logOut: null },
    ...{ exchanges: [], calls: [], events: [] },
  };
  try {
    const text = sessionStorage.getItem(key);
    return text === null ? empty : (JSON.parse(text) as Entries);
  } catch {
    return empty;
  }
}

function store(key: string, entries: Entries): void {
  try {
    sessionStorage.setItem(key, JSON.stringify(entries));
  } catch {
    // The page then shows what happened since it was loaded.
  }
}

function keepLast(list: unknown[], count: number): void {
  if (list.length > count) list.splice(0, list.length - count);
}
