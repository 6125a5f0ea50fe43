import type { AuthState, IdTokenClaims } from "countersign";

import {
  answerFields,
  exchangeBlock,
  fields,
  json,
  labelled,
  more,
  redirectLine,
  requestLine,
  roundTrips,
  verdict,
  waterfall,
} from "./blocks.ts";
import { byId, clockTime, duration, h, replaceFrom } from "./dom.ts";
import type { Call, Entries, Exchange, LogOut, SignIn } from "./journal.ts";

import type { Config } from "./providers.ts";

type Progress = "idle" | "done" | "failed";

/** Shows, under each of the steps, what happened in it. */
export function showSteps(
  entries: Entries,
  state: AuthState<IdTokenClaims | null>,
  { relay }: Config,
): void {
  const { signIn, calls } = entries;
  const since = signIn?.startedAt ?? Infinity;
  const ofSignIn = entries.exchanges.filter((one) => one.at >= since);
  const traded = ofSignIn.filter((one) => isToken(one, "authorization_code"));
  const refreshes = entries.exchanges.filter((one) =>
    isToken(one, "refresh_token"),
  );
  const asked = entries.exchanges.filter((one) => one.endpoint === "userinfo");
  const relayed = relay !== null;
  const left = signIn !== null && signIn.leftAt !== null ? signIn : null;
  const claims = state.status === "signedIn" ? state.user : null;

  step(1, left ? "done" : "idle", left, () => verifierStep(left));
  step(2, left ? "done" : "idle", left, () => challengeStep(left));
  step(3, authorizeProgress(left), [left, ofSignIn], () =>
    authorizeStep(left, ofSignIn, relayed),
  );
  step(4, exchangeProgress(traded), [left, ofSignIn, claims], () =>
    tokenStep(left, ofSignIn, traded, claims, relayed),
  );
  step(5, callProgress(calls), [calls, asked], () => apiStep(calls, asked));
  step(6, exchangeProgress(refreshes), refreshes, () =>
    refreshStep(refreshes, traded),
  );
  const { logOut } = entries;
  const revoked = entries.exchanges.filter(
    (one) =>
      one.endpoint === "revocation" && one.at >= (logOut?.at ?? Infinity),
  );
  const out = logOut !== null && state.status === "signedOut";
  step(7, out ? "done" : "idle", [logOut, revoked], () =>
    logOutStep(logOut, revoked),
  );
}

function step(
  number: number,
  progress: Progress,
  from: unknown,
  make: () => readonly Node[],
): void {
  const element = byId(`step-${number}`);
  element.dataset["progress"] = progress;
  const place = element.querySelector(".happened");
  if (place !== null) replaceFrom(place, from, make);
}

function idle(text: string): readonly Node[] {
  return [h("p", { class: "idle" }, text)];
}

function verifierStep(signIn: SignIn | null): readonly Node[] {
  if (signIn === null)
    return idle("Sign in to see the one that is made for you.");
  if (signIn.verifier === null) {
    return idle("The stored record holds no verifier that this page can find.");
  }
  return [
    fields(
      [
        ["code_verifier", signIn.verifier],
        ["kept under", signIn.storedUnder ?? ""],
      ],
      {
        code_verifier: "RFC 7636 wants 43 to 128",
        "kept under": "in sessionStorage, until the browser comes back",
      },
    ),
    more("record", "The record of this sign-in", json(signIn.stored)),
  ];
}

function challengeStep(signIn: SignIn | null): readonly Node[] {
  if (signIn === null) return idle("Sign in to see it made from the verifier.");
  const rows: [string, string][] = [["code_challenge", signIn.challengeSent]];
  if (signIn.challengeComputed === null) return [fields(rows)];
  return [
    fields([...rows, ["SHA-256 here", signIn.challengeComputed]], {
      code_challenge: "sent by countersign",
      "SHA-256 here": "computed by this page with crypto.subtle",
    }),
    verdict(
      signIn.challengeComputed === signIn.challengeSent,
      "Verified in your browser: both are the same.",
      "They differ. That must not happen.",
    ),
  ];
}

const requestNotes = {
  response_type: "asks for a code, not for tokens",
  client_id: "this application; it has no secret",
  redirect_uri: "where the code may be sent, and nowhere else",
  scope: "what is asked for",
  state: "ties the answer to this browser",
  nonce: "ties the ID Token to this request",
  code_challenge: "from step 2",
  code_challenge_method: "SHA-256; countersign knows no other",
};

function authorizeStep(
  signIn: SignIn | null,
  exchanges: readonly Exchange[],
  relayed: boolean,
): readonly Node[] {
  if (signIn === null)
    return idle("Sign in to see the request and its answer.");
  const notes = relayed
    ? {
        ...requestNotes,
        client_id: "this application; the relay has its secret",
      }
    : requestNotes;
  const before = exchanges.filter((one) => one.at <= (signIn.leftAt ?? 0));
  const content: Node[] = [
    h(
      "div",
      { class: "exchange" },
      ...before.map(requestLine),
      redirectLine(signIn.endpoint),
      labelled("Sent", fields(signIn.parameters, notes)),
      signIn.returnedAt === null
        ? null
        : labelled("Came back", fields(signIn.returned, returnNotes(signIn))),
    ),
  ];
  if (signIn.leftAt !== null) content.push(timesOf(signIn));
  return content;
}

function returnNotes(signIn: SignIn): Record<string, string> {
  return {
    code: "for one use, within a minute",
    state: signIn.stateIsOurs
      ? "✓ the one that was sent"
      : "✕ not the one that was sent",
    iss: signIn.issuerIsOurs
      ? "✓ the issuer that was asked (RFC 9207)"
      : "✕ not the issuer that was asked",
    error: "the provider said no",
  };
}

function timesOf(signIn: SignIn): HTMLElement {
  const preparing = (signIn.leftAt ?? 0) - signIn.startedAt;
  const away =
    signIn.returnedAt === null
      ? null
      : Math.max(0, signIn.returnedAt - (signIn.leftAt ?? 0));
  return h(
    "p",
    { class: "times" },
    `${duration(preparing)} from the click to the redirect`,
    away === null ? "" : `, ${duration(away)} at the provider`,
    signIn.appState === null
      ? "."
      : `. The appState given to login() came back: ${JSON.stringify(signIn.appState)}`,
  );
}

const tradeNotes = {
  code: "from step 3",
  code_verifier: "from step 1: the provider hashes it and compares",
  refresh_token: "used up by this request",
};

const tokenNotes = {
  access_token: "for the API",
  expires_in: "seconds",
  refresh_token: "for the next refresh",
  id_token: "says who signed in",
};

function tokenStep(
  signIn: SignIn | null,
  exchanges: readonly Exchange[],
  traded: readonly Exchange[],
  claims: object | null,
  relayed: boolean,
): readonly Node[] {
  const last = traded.at(-1);
  if (signIn === null || last === undefined) {
    return idle("Sign in to see the tokens arrive.");
  }
  const onReturn = exchanges.filter(
    (one) =>
      one.view === last.view &&
      one.grantType !== "refresh_token" &&
      one.at <= (signIn.completedAt ?? Infinity),
  );
  const keys = onReturn.find((one) => one.endpoint === "jwks");
  const trips = roundTrips(onReturn);
  const content: Node[] = [
    exchangeBlock(last, tradeNotes, {
      ...tokenNotes,
      id_token: `${tokenNotes.id_token}; signed with ${last.signedWith ?? "?"}`,
    }),
  ];
  if (relayed) {
    content.push(
      verdict(
        last.sent.every(([name]) => name !== "client_secret"),
        "No secret in it: the relay adds that on its way to the provider.",
        "The secret was in this browser. That must not happen.",
      ),
    );
  }
  if (keys !== undefined) {
    content.push(
      waterfall(onReturn),
      verdict(
        trips === 1,
        "One round trip: the keys came while the code was traded.",
        `${trips} round trips, one after the other.`,
      ),
    );
  }
  if (signIn.completedAt !== null && signIn.returnedAt !== null) {
    const took = duration(signIn.completedAt - signIn.returnedAt);
    content.push(
      h(
        "p",
        { class: "times" },
        `Signed in ${took} after this page's script began to run.`,
      ),
    );
  }
  if (claims !== null) {
    content.push(more("claims", "What the ID Token says", json(claims)));
  }
  return content;
}

function apiStep(
  calls: readonly Call[],
  asked: readonly Exchange[],
): readonly Node[] {
  const last = calls.at(-1);
  const userInfo = asked.slice(-1).map((one) => exchangeBlock(one, {}, {}));
  if (last === undefined) {
    return [...idle("Sign in, then call the API."), ...userInfo];
  }
  const received = answerFields(last.answer);
  return [
    h(
      "div",
      { class: "exchange" },
      requestLine(last),
      labelled("Sent", fields([["Authorization", `Bearer ${last.token}`]])),
      received.length > 0 && labelled("Received", fields(received)),
    ),
    ...userInfo,
    ...earlier(calls.map(callLine)),
  ];
}

function refreshStep(
  refreshes: readonly Exchange[],
  traded: readonly Exchange[],
): readonly Node[] {
  const last = refreshes.at(-1);
  if (last === undefined) {
    return idle("Refresh now, or choose short lifetimes and wait.");
  }
  const before = sentField(last, "refresh_token");
  const after = answerField(last, "refresh_token");
  const content: Node[] = [exchangeBlock(last, tradeNotes, tokenNotes)];
  if (after !== undefined) {
    content.push(
      verdict(
        before !== after,
        "Rotated: the refresh token that was sent is used up.",
        "Not rotated: the provider gave the same refresh token again.",
      ),
    );
  } else if (exchangeProgress([last]) === "done") {
    content.push(
      h(
        "p",
        { class: "times" },
        "No new refresh token came: the old one stays.",
      ),
    );
  }
  const lines = [...traded.slice(-1), ...refreshes].map((one) =>
    h(
      "li",
      {},
      h("time", {}, clockTime(one.at)),
      ` ${one.grantType} · ${one.failure ?? one.status ?? "…"}`,
      one.milliseconds === null ? "" : ` · ${duration(one.milliseconds)}`,
    ),
  );
  return [...content, ...earlier(lines)];
}

const logOutNotes = {
  client_id: "this application",
  id_token_hint: "says who leaves",
  post_logout_redirect_uri: "where to come back to",
  returnTo: "where to come back to, as this provider calls it",
  state: "ties the return to this browser",
};

function logOutStep(
  logOut: LogOut | null,
  revoked: readonly Exchange[],
): readonly Node[] {
  if (logOut === null) return idle("Sign in, then log out.");
  const { endpoint, parameters } = logOut;
  return [
    ...revoked.map((one) =>
      exchangeBlock(
        one,
        { token: "the refresh token, of no use from now on" },
        {},
      ),
    ),
    endpoint === null
      ? h(
          "p",
          { class: "times" },
          "The browser stayed here: this provider has no place to log out at.",
        )
      : h(
          "div",
          { class: "exchange" },
          redirectLine(endpoint),
          labelled("Sent", fields(parameters, logOutNotes)),
        ),
  ];
}

function callLine(call: Call): HTMLElement {
  return h(
    "li",
    {},
    h("time", {}, clockTime(call.at)),
    ` ${call.method} · ${call.failure ?? call.status} · ${duration(call.milliseconds)}`,
  );
}

function earlier(lines: HTMLElement[]): Node[] {
  const before = lines.slice(0, -1).reverse();
  if (before.length === 0) return [];
  return [
    more(
      "earlier",
      `Earlier (${before.length})`,
      h("ol", { class: "earlier" }, ...before),
    ),
  ];
}

function isToken(exchange: Exchange, grantType: string): boolean {
  return exchange.endpoint === "token" && exchange.grantType === grantType;
}

function exchangeProgress(exchanges: readonly Exchange[]): Progress {
  const last = exchanges.at(-1);
  if (last === undefined || (last.status === null && last.failure === null)) {
    return "idle";
  }
  return last.status !== null && last.status < 400 ? "done" : "failed";
}

function callProgress(calls: readonly Call[]): Progress {
  const last = calls.at(-1);
  if (last === undefined) return "idle";
  return last.status !== null && last.status < 400 ? "done" : "failed";
}

function authorizeProgress(signIn: SignIn | null): Progress {
  if (signIn === null || signIn.returnedAt === null) return "idle";
  const refused = signIn.returned.some(([name]) => name === "error");
  return refused || !signIn.stateIsOurs ? "failed" : "done";
}

function sentField(exchange: Exchange, name: string): string | undefined {
  return exchange.sent.find(([key]) => key === name)?.[1];
}

function answerField(exchange: Exchange, name: string): string | undefined {
  return answerFields(exchange.answer).find(([key]) => key === name)?.[1];
}
