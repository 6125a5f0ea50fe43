import {
  createAuth,
  isAuthError,
  type Auth,
  type AuthState,
  type IdTokenClaims,
} from "countersign";

import { byId, clockTime } from "./dom.ts";
import { openJournal, type Entries } from "./journal.ts";
import {
  newSignIn,
  noteReturn,
  readReturn,
  recordingLogout,
  recordingNavigate,
  recordingTransport,
  thisView,
} from "./observe.ts";
import { providers, type Config } from "./providers.ts";
import { shorten } from "./shorten.ts";
import { showSteps } from "./steps.ts";
import { joinTabs } from "./tabs.ts";
import {
  nameOf,
  showClock,
  showError,
  showEvents,
  showPageView,
  showProvider,
  showSession,
  showTabs,
} from "./view.ts";

const config = JSON.parse(byId("config").textContent ?? "") as Config;
const provider = providers.find(({ id }) => id === config.provider);
if (provider === undefined) throw new Error("no such provider");
const home = location.origin + provider.path;
const answer = readReturn();
const journal = openJournal(provider.id, render);
showProvider(provider, config);

const options = {
  ...provider.options(config),
  clientId: config.clientId,
  redirectUri: home,
  postLogoutRedirectUri: home,
  apiOrigins: [config.apiUrl],
  shareWithNewTabs: true,
  transport: recordingTransport(journal, () => {
    if (auth.state.status === "signedIn") tabs.refreshed();
  }),
};
const auth: Auth<IdTokenClaims | null> =
  options.oidc === false ? createAuth(options) : createAuth(options);
const tabs = joinTabs(provider.id, () => auth, showTabs);

let cameFrom = "…";

function render(entries: Entries): void {
  showSteps(entries, auth.state, config);
  showEvents(entries.events);
  showPageView(
    entries.exchanges.filter((one) => one.view === thisView),
    config.roles,
    cameFrom,
  );
}

function showState(state: AuthState<IdTokenClaims | null>): void {
  showSession(state);
  showError(state.error);
  tabs.tell();
  tick();
  render(journal.entries);
}

function tick(): void {
  showClock(auth.state, lifetime());
}

/** Seconds, as the last token answer said; the ring needs to know what full is. */
function lifetime(): number | null {
  for (const { answer: tokens } of [...journal.entries.exchanges].reverse()) {
    const seconds = (tokens as { expires_in?: unknown } | null)?.expires_in;
    if (typeof seconds === "number") return seconds;
  }
  return null;
}

function logEvent(type: string, text: string, bad = false): void {
  journal.write(({ events }) => {
    events.push({ at: Date.now(), type, text, bad });
  });
}

function until(at: number | null): string {
  return at === null ? "no expiry given" : `good until ${clockTime(at)}`;
}

auth.on("signedIn", ({ user, via }) => {
  tabs.tell(broughtBy[via]);
  logEvent("signedIn", `${nameOf(user)}, by ${viaWords[via]}`);
  if (via !== "callback") return;
  journal.write(({ signIn }) => {
    if (signIn !== null) signIn.completedAt = Date.now();
  });
});
auth.on("signedOut", ({ reason, error }) => {
  logEvent("signedOut", reason, error !== null);
});
auth.on("refreshed", ({ expiresAt }) => {
  tabs.tell("adopted");
  const here = tabs.wasOurs ? "by this tab" : "by another tab";
  logEvent("refreshed", `${here}; the new access token is ${until(expiresAt)}`);
});
auth.on("refreshFailed", ({ error, retryAt }) => {
  const next = retryAt === null ? "" : `; again at ${clockTime(retryAt)}`;
  logEvent("refreshFailed", `${error.code}${next}`, true);
});
auth.on("warning", ({ code, hint }) => {
  logEvent("warning", `${code}: ${hint}`, true);
});

const broughtBy = {
  callback: "signed in",
  restore: "restored",
  otherTab: "adopted",
} as const;

const viaWords = {
  callback: "the redirect from the provider",
  restore: "the stored session",
  otherTab: "another tab",
};

/** Runs a button's work, and shows what fails. */
function onClick(id: string, work: () => Promise<void>): void {
  const button = byId<HTMLButtonElement>(id);
  button.addEventListener("click", () => {
    button.disabled = true;
    work()
      .catch(report)
      .finally(() => {
        button.disabled = false;
      });
  });
}

// The state knows the cause; a call that it made impossible only says so.
function report(error: unknown): void {
  if (isAuthError(error)) return showError(auth.state.error ?? error);
  showError({
    code: error instanceof Error ? error.name : "Error",
    message: error instanceof Error ? error.message : String(error),
    hint: "This is the page's own trouble, not countersign's.",
    retryable: false,
    details: {},
  });
}

onClick("sign-in", async () => {
  journal.write((entries) => {
    entries.signIn = newSignIn();
    entries.logOut = null;
    entries.exchanges.length = 0;
    entries.calls.length = 0;
  });
  await auth.login({
    returnTo: location.href,
    appState: { clicked: "Sign in", at: clockTime(Date.now()) },
    navigate: recordingNavigate(journal),
  });
});

onClick("call", async () => {
  const url = `${config.apiUrl}/me`;
  const token = shorten(await auth.getAccessToken());
  const at = Date.now();
  const started = performance.now();
  const call = { method: "GET", url, token, at };
  try {
    const response = await auth.fetch(url);
    const body: unknown = await response.json();
    const milliseconds = performance.now() - started;
    journal.write(({ calls }) => {
      const { status } = response;
      calls.push({
        ...call,
        status,
        answer: body,
        failure: null,
        milliseconds,
      });
    });
  } catch (error) {
    const failure = isAuthError(error) ? error.code : "failed";
    const milliseconds = performance.now() - started;
    journal.write(({ calls }) => {
      calls.push({
        ...call,
        status: null,
        answer: null,
        failure,
        milliseconds,
      });
    });
    throw error;
  }
});

onClick("refresh", async () => {
  await auth.getAccessToken({ forceRefresh: true });
});

onClick("userinfo", async () => {
  await auth.fetchUserInfo();
});

onClick("clone", async () => {
  // A page that a script opens has a copy of this tab's sessionStorage.
  window.open(location.pathname);
});

onClick("unrelated", async () => {
  window.open(location.pathname, "_blank", "noopener");
});

onClick("reload", async () => {
  location.reload();
});

onClick("sign-out", async () => {
  journal.write((entries) => {
    entries.logOut = { at: Date.now(), endpoint: null, parameters: [] };
  });
  await auth.logout({ navigate: recordingLogout(journal) });
});

onClick("revoke", async () => {
  await askServer("revoke", {});
  logEvent("(provider)", "the session was revoked there");
});

async function askServer(path: string, body: object): Promise<void> {
  const response = await fetch(`/demo/${path}`, {
    method: "POST",
    body: JSON.stringify({ ...body, provider: config.provider }),
  });
  if (!response.ok) throw new Error(await response.text());
}

const trouble = byId<HTMLInputElement>("trouble");
trouble.checked = config.tokenTrouble;
trouble.addEventListener("change", () => {
  askServer("trouble", { on: trouble.checked }).catch(report);
});

byId<HTMLInputElement>("own-ttl").value = String(config.ownTtl);
byId("own-ttl-text").textContent =
  config.ownTtl < 3600
    ? `${config.ownTtl / 60} min`
    : `${config.ownTtl / 3600} h`;
for (const radio of document.querySelectorAll<HTMLInputElement>(
  "input[name=ttl]",
)) {
  radio.checked = Number(radio.value) === config.accessTokenTtl;
  radio.addEventListener("change", () => {
    shorterTokens(Number(radio.value)).catch(report);
  });
}

/** The token at hand keeps its lifetime, so a new one is fetched at once. */
async function shorterTokens(seconds: number): Promise<void> {
  await askServer("ttl", { seconds });
  if (auth.state.status === "signedIn") {
    await auth.getAccessToken({ forceRefresh: true });
  }
}

auth.subscribe(showState);
setInterval(tick, 250);

if (answer !== null) void noteReturn(journal, answer, config.issuer);

const first = await auth.ready;
cameFrom =
  first.status === "signedOut"
    ? "none"
    : answer === null
      ? "stored in this tab"
      : "from the redirect";
if (answer !== null && first.status === "signedIn") {
  const { appState } = await auth.handleCallback();
  journal.write(({ signIn }) => {
    if (signIn !== null) signIn.appState = appState;
  });
}
render(journal.entries);
new PerformanceObserver(() => render(journal.entries)).observe({
  type: "resource",
});
