import type { AuthState, IdTokenClaims } from "countersign";

import { byId, clockTime, h, replaceFrom } from "./dom.ts";
import type { Exchange, LoggedEvent } from "./journal.ts";
import type { Tab } from "./tabs.ts";
import { providers, type Config, type Provider } from "./providers.ts";

type State = AuthState<IdTokenClaims | null>;

/** The list of providers, and what the chosen one is like. */
export function showProvider(chosen: Provider, config: Config): void {
  document.title = `countersign · signing in at ${chosen.name}`;
  byId("providers").replaceChildren(
    ...providers.map(({ id, name, path }) => {
      const current = id === chosen.id;
      return h(
        "a",
        { href: path, ...(current ? { "aria-current": "page" } : {}) },
        name,
      );
    }),
  );
  byId("provider").replaceChildren(
    h("p", {}, chosen.about),
    h("dl", { class: "traits" }, ...facts(traitsOf(chosen, config))),
    h(
      "pre",
      { class: "code", tabindex: "0" },
      h("code", {}, codeOf(chosen, config)),
    ),
  );
  byId("userinfo").hidden = !chosen.userinfo;
}

function traitsOf(chosen: Provider, config: Config) {
  const { issuer, relay } = config;
  return [
    [
      "Server",
      chosen.id === "local"
        ? "runs on this machine"
        : "emulated on this machine, after its documentation",
    ],
    ["Issuer", issuer],
    ...chosen.traits,
    [
      "Client",
      relay === null
        ? "public, without a secret"
        : "with a secret, which the relay of this origin adds",
    ],
  ] as const;
}

function codeOf({ code, options }: Provider, config: Config): string {
  const more = [
    `clientId: ${JSON.stringify(config.clientId)},`,
    `scope: ${JSON.stringify(options(config).scope)},`,
    "shareWithNewTabs: true,",
  ];
  const lines = [code(config), ...more].join("\n");
  return `createAuth({\n  ${lines.replaceAll("\n", "\n  ")}\n});`;
}

/** Plain OAuth does not say who it is. */
export function nameOf(user: IdTokenClaims | null): string {
  return user === null ? "Somebody" : (user.name ?? user.sub);
}

/** The session as `auth.state` has it. */
export function showSession(state: State): void {
  const signedIn = state.status === "signedIn";
  document.documentElement.dataset["status"] = state.status;
  document.documentElement.dataset["freshness"] = signedIn
    ? state.freshness
    : "";
  byId("status").textContent = statusText(state);
  byId("name").textContent = signedIn
    ? nameOf(state.user)
    : "Nobody is signed in";
  byId("about").textContent = signedIn
    ? aboutUser(state.user)
    : aboutSignedOut(state);
  byId("signed-in-actions").hidden = !signedIn;
  byId("signed-out-actions").hidden = signedIn;
  byId<HTMLButtonElement>("sign-in").disabled = state.status === "loading";
  byId<HTMLButtonElement>("revoke").disabled = !signedIn;
  replaceFrom(byId("facts"), factsOf(state), () => facts(factsOf(state)));
}

function statusText(state: State): string {
  if (state.status !== "signedIn") return state.status;
  return state.freshness === "stale" ? "signedIn · stale" : "signedIn";
}

function aboutUser(user: IdTokenClaims | null): string {
  if (user === null) return "plain OAuth does not say who";
  return user.email ?? user.sub;
}

function aboutSignedOut(state: State): string {
  return state.status === "signedOut" ? `reason: ${state.reason}` : "…";
}

function factsOf(state: State): readonly (readonly [string, string])[] {
  if (state.status !== "signedIn") return [];
  return [
    ["subject", state.user?.sub ?? "not said"],
    ["scope", state.scope.join(" ") || "not said"],
    ["freshness", state.freshness],
    ["refreshable", state.refreshable ? "yes" : "no"],
    [
      "expires",
      state.expiresAt === null ? "not said" : clockTime(state.expiresAt),
    ],
  ];
}

function facts(rows: readonly (readonly [string, string])[]): Node[] {
  return rows.map(([name, value]) =>
    h("div", {}, h("dt", {}, name), h("dd", {}, value)),
  );
}

interface ShownError {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
  readonly retryable: boolean;
  readonly details: object;
}

/** An error in full: what it is called, what happened, what to do. */
export function showError(error: ShownError | null): void {
  const place = byId("error");
  place.hidden = error === null;
  if (error === null) return place.replaceChildren();
  place.replaceChildren(
    h(
      "p",
      { class: "error-code" },
      h("code", {}, error.code),
      error.retryable ? h("span", { class: "tag" }, "retryable") : null,
    ),
    h("p", {}, sentence(error.message)),
    h("p", { class: "error-hint" }, error.hint),
    h("dl", { class: "facts" }, ...facts(detailsOf(error.details))),
  );
}

/** The server's own words among them; as text, like everything here. */
function detailsOf(details: object): readonly (readonly [string, string])[] {
  return Object.entries(details)
    .filter(([, value]) => value !== null)
    .map(([name, value]) => [
      name,
      typeof value === "object" ? JSON.stringify(value) : String(value),
    ]);
}

function sentence(text: string): string {
  const upper = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(upper) ? upper : `${upper}.`;
}

/** The seconds that the access token has left, as a ring and a number. */
export function showClock(state: State, lifetime: number | null): void {
  const ring = byId<SVGElement>("ring");
  const expiresAt = state.status === "signedIn" ? state.expiresAt : null;
  if (expiresAt === null) {
    ring.setAttribute("stroke-dashoffset", "100");
    byId("clock").textContent = "–";
    byId("clock-unit").textContent = "";
    return;
  }
  const left = Math.max(0, (expiresAt - Date.now()) / 1000);
  const share = Math.min(1, left / Math.max(1, lifetime ?? 300));
  ring.setAttribute("stroke-dashoffset", String(100 - share * 100));
  ring.dataset["level"] = left === 0 ? "out" : share < 0.2 ? "low" : "good";
  const seconds = Math.ceil(left);
  const minutes = Math.floor(seconds / 60);
  const [text, unit] =
    minutes >= 60
      ? [sixties(Math.ceil(left / 60)), "h"]
      : minutes > 0
        ? [sixties(seconds), "min"]
        : [String(seconds), "s"];
  byId("clock").textContent = text;
  byId("clock-unit").textContent = unit;
}

function sixties(count: number): string {
  return `${Math.floor(count / 60)}:${String(count % 60).padStart(2, "0")}`;
}

/** What this page view cost: requests to the provider, and the parts of the package. */
export function showPageView(
  exchanges: readonly Exchange[],
  roles: Readonly<Record<string, string>>,
  cameFrom: string,
): void {
  const rows = [
    ["Session", cameFrom],
    ["Requests to the provider", String(exchanges.length)],
    ["Facade", loaded(roles, "facade")],
    ["Rust core", loaded(roles, "core")],
  ] as const;
  replaceFrom(byId("page-view"), rows, () => facts(rows));
}

function loaded(roles: Readonly<Record<string, string>>, role: string): string {
  const files = performance
    .getEntriesByType("resource")
    .filter((entry) => roles[new URL(entry.name).pathname] === role)
    .map((entry) => entry as PerformanceResourceTiming);
  if (files.length === 0) return "not needed yet";
  const bytes = files.reduce((sum, file) => sum + file.encodedBodySize, 0);
  return `${(bytes / 1000).toFixed(1)} kB loaded`;
}

/** Every tab that is open: which one refreshed, what the others adopted and when. */
export function showTabs(mine: Tab, others: readonly Tab[]): void {
  const all = [mine, ...others];
  replaceFrom(byId("tabs"), all, () =>
    all.map((tab) => tabLine(tab, all, tab === mine)),
  );
  const tokens = new Set(all.map(({ token }) => token));
  const inStep = all.length > 1 && tokens.size === 1 && mine.token !== null;
  byId("in-step").hidden = all.length < 2;
  byId("in-step").className = `verdict ${inStep ? "good" : "waiting"}`;
  byId("in-step").textContent = inStep
    ? `✓ ${all.length} tabs, one access token`
    : mine.token === null && tokens.size === 1
      ? `${all.length} tabs, nobody signed in`
      : `${all.length} tabs, ${tokens.size} different sessions or tokens`;
}

function tabLine(
  { letter, origin, status, token, by, at }: Tab,
  all: readonly Tab[],
  isThis: boolean,
): HTMLElement {
  const source = all.find(
    (other) => other.by === "refreshed" && other.token === token,
  );
  const after =
    by === "adopted" && at !== null && source?.at
      ? `, ${Math.max(0, at - source.at)} ms after ${source.letter}`
      : "";
  const what =
    at === null || by === null ? status : `${by} at ${clockTime(at)}${after}`;
  return h(
    "li",
    { "data-by": by ?? "none" },
    h("b", {}, letter),
    h(
      "span",
      {},
      isThis ? "this tab" : origin === "clone" ? "a clone" : "a tab",
    ),
    h("code", {}, token ?? "–"),
    h("span", { class: "did" }, what),
  );
}

export function showEvents(events: readonly LoggedEvent[]): void {
  replaceFrom(byId("events"), events, () =>
    events.length === 0
      ? [h("li", { class: "idle" }, "Nothing yet.")]
      : [...events].reverse().map(eventLine),
  );
}

function eventLine({ at, type, text, bad }: LoggedEvent): HTMLElement {
  return h(
    "li",
    bad ? { class: "bad" } : {},
    h("time", { datetime: new Date(at).toISOString() }, clockTime(at)),
    h("code", {}, type),
    h("span", {}, text),
  );
}
