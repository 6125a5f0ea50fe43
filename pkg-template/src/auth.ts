import type { AuthCore } from "./core.js";
import type { Instance } from "./engine.js";
import {
  AuthError,
  fromCore,
  TEXTS,
  toAuthError,
  type CoreError,
} from "./errors.js";
import { authorized } from "./fetch.js";
import { makeListeners, reportLater } from "./listeners.js";
import { parseJson } from "./json.js";
import {
  callbackText,
  cleanAddressBar,
  isAt,
  isCallback,
  statesOf,
  withoutResponse,
} from "./location.js";
import {
  afterLogout,
  checkObject,
  jsonText,
  logoutParams,
  normalize,
  optional,
  paramsOf,
  parse,
  refuse,
  seconds,
  text,
  typed,
  type NormalOptions,
  type Options,
} from "./options.js";
import { tokenCache } from "./tokens.js";
import type {
  AccessTokenOptions,
  AnyAuthError,
  Auth,
  AuthEventMap,
  AuthState,
  CallbackResult,
  LoginOptions,
  LogoutOptions,
  SettledState,
  SignedInState,
  SignedOutReason,
  UserInfo,
  WarningCode,
} from "./types.js";
import {
  DEFAULT_TOKEN,
  freshView,
  isOurs,
  readText,
  takeText,
  type View,
} from "./view.js";
import { failed, missing, type ModuleSource } from "./wasm.js";

/** Clients by issuer and client: equal options give the same one (double mount, hot reload). */
const clients = new Map<string, Client>();

const LOADING = Object.freeze({ status: "loading", user: null, error: null });

/** What to do about each; what only the Rust side tells comes with it, from texts.ts. */
const WARNINGS: Partial<Record<WarningCode, string>> = {
  logout_unconfirmed: "Register the exact postLogoutRedirectUri",
};

/** Creates a client; the module comes from `source` when it is first needed. */
export function createClient(
  options: Options,
  source: (options: Options) => ModuleSource,
): Auth<unknown> {
  if (typeof window === "undefined") return onServer();
  const normal = normalize(options);
  const known = clients.get(normal.key);
  if (known) {
    const { json, storage } = known.normal;
    if (json !== normal.json || storage !== normal.storage) {
      throw refuse("options", "not the living client's: dispose it first");
    }
    // Functions are compared by nobody: the newest are called.
    known.options = options;
    return known.auth;
  }
  return makeClient(options, normal, source(options));
}

/** On a server a client is inert: its state is `"loading"` and stays so. */
function onServer(): Auth<unknown> {
  const refused = () =>
    Promise.reject(
      AuthError.of("unsupported_environment", { missing: "browser" }),
    );
  return {
    state: LOADING,
    ready: new Promise(() => {}),
    subscribe: (listener) => {
      listener(LOADING);
      return () => {};
    },
    on: () => () => {},
    login: refused,
    isCallback: () => false,
    handleCallback: refused,
    logout: refused,
    getAccessToken: refused,
    authorize: refused,
    fetch: refused,
    getIdToken: refused,
    fetchUserInfo: refused,
    preload: refused,
    dispose: () => {},
  };
}

type Failure = AnyAuthError | null;

/** What the Rust side tells, its error as the one that applications see. */
type Message =
  | { status: "loading" }
  | { status: "signedIn"; view: View; stale: boolean; error: Failure }
  | { status: "signedOut"; reason: SignedOutReason; error: Failure }
  | { event: "signedIn"; via: AuthEventMap["signedIn"]["via"] }
  | { event: "signedOut"; reason: SignedOutReason }
  | { event: "refreshed"; expiresAt: number | null }
  | { event: "refreshFailed"; error: AnyAuthError; retryAt: number | null }
  | { event: "warning"; code: WarningCode };

/** What went wrong with a callback is in the state; what onCallback threw is the application's. */
function reportForeign(error: unknown): void {
  if (!(error instanceof AuthError)) reportLater(error);
}

/** What is known of a client outside of it. */
interface Client {
  readonly auth: Auth<unknown>;
  readonly normal: NormalOptions;
  options: Options;
}

/** A function and no class: what it holds has names of one letter once it is minified, and `this.#name` has not. */
function makeClient(
  options: Options,
  normal: NormalOptions,
  source: ModuleSource,
): Auth<unknown> {
  const { key, storage, redirectUri, part, logoutPrefix } = normal;
  const { origin } = location;
  const listeners = makeListeners<
    AuthEventMap<unknown> & { state: AuthState<unknown> }
  >();
  const tokens = tokenCache();
  let state: AuthState<unknown> = LOADING;
  /**
   * What is being asked of the Rust side, by the wish: who wishes the same waits for the same answer, and a thousand take no
   * longer than one. Not once another state is told, which may be of another user.
   */
  let asking: Record<string, Promise<string>> = {};
  /** The state as text: told again only when it differs. */
  let told = "";
  /** Where a session comes from that was found in the storage. */
  let via: "restore" | "otherTab" = "restore";
  let settle!: (state: SettledState<unknown>) => void;
  let instance: Promise<Instance> | undefined;
  /** A callback that was not yet handed over. */
  let callback: string | undefined;
  /** As long as it is one that was taken from the address bar. */
  let taken: string | undefined;
  /** Where the page is without the response, for a callback that knows no better. */
  let cleaned = "/";
  let handled: Promise<CallbackResult<unknown>> | undefined;
  let isLeaving = false;
  /** What the storage had when the page was left. */
  let left: string | null = null;
  /** Whether the session that there is was told of. */
  let isAnnounced = false;
  /** Settles when other tabs were asked for the session. */
  let asked: Promise<void> | undefined;
  const end = new AbortController();
  const { signal: ended } = end;
  const away = new Set<(error: AuthError) => void>();

  const auth: Auth<unknown> = {
    get state() {
      return state;
    },
    ready: whenReady(),
    subscribe: (listener) => {
      const end = listeners.on("state", listener);
      listener(state);
      return end;
    },
    on: (type, listener, on) => listeners.on(type, listener, on?.signal),
    login,
    isCallback: (url) =>
      (url === undefined && !!(callback ?? handled)) ||
      isCallback(parse(url ?? location.href, "url"), normal),
    handleCallback,
    logout,
    getAccessToken,
    ...authorized(
      globalThis.fetch.bind(globalThis),
      [origin, ...normal.apiOrigins],
      getAccessToken,
    ),
    getIdToken: () => call(async (core) => core.idToken() ?? null),
    fetchUserInfo: async (options) =>
      parseJson(
        await call((core) => core.userInfo(), options?.signal),
      ) as UserInfo,
    preload: () => call(async () => {}),
    dispose,
  };
  const client: Client = { auth, normal, options };
  clients.set(key, client);
  begin();
  return auth;

  /** Not before the page is where the sign-in goes back to. */
  async function whenReady(): Promise<SettledState<unknown>> {
    const state = await new Promise<SettledState<unknown>>(
      (resolve) => (settle = resolve),
    );
    await handled?.catch(() => {});
    return state;
  }

  /** Takes a response out of the address bar, or reads what is stored: all before anything is loaded. */
  function begin(): void {
    const { shares } = normal;
    const on = { signal: ended };
    addEventListener("pagehide", () => (left = stored()), on);
    addEventListener("pageshow", cameBack, on);
    addEventListener("storage", signedInElsewhere, on);
    const here = new URL(location.href);
    const isBack = isCallback(here, normal);
    if (isBack && normal.callback === "auto") {
      handle(take(here)).catch(reportForeign);
    } else {
      const loggedOut = returned(here);
      if (shares && !isBack && loggedOut === undefined && !stored()) {
        asked = share(true).then(adopt);
        return;
      }
      restore(loggedOut);
    }
    if (shares) whenIdle(() => share(false));
  }

  /** Answers new tabs from now on; asks them for the session first, if this is one. Where it cannot be loaded, nothing is shared. */
  function share(asks: boolean): Promise<void> {
    return import("./share.js")
      .then(({ share }) => share(client, isOurs, ended, asks))
      .catch(() => {});
  }

  /** Shows what another page has brought. */
  function adopt(): void {
    if (ended.aborted) return;
    via = "otherTab";
    restore();
  }

  /** Shows what is stored. */
  function restore(loggedOut?: boolean): void {
    const text = stored();
    const view = freshView(text, normal.oidc);
    if (!text) {
      const reason = loggedOut === undefined ? "noSession" : "loggedOut";
      tell({ status: "signedOut", reason, error: null });
      if (loggedOut === false) {
        queueMicrotask(() =>
          emit({ event: "warning", code: "logout_unconfirmed" }),
        );
      }
    } else if (view) {
      tell({ status: "signedIn", view, stale: false, error: null });
      // Listeners are attached after createAuth has returned.
      queueMicrotask(() => emit({ event: "signedIn", via: "restore" }));
      whenIdle(wake);
    } else {
      wake();
    }
  }

  function wake(): void {
    load().catch(() => {});
  }

  /** Whether this page is what the pending logout comes back to, and whether it is proven to be (OIDC RP-Initiated Logout §3). */
  function returned(here: URL): boolean | undefined {
    const { logins, logoutKey, postLogoutRedirectUri } = normal;
    const [state = ""] = statesOf(here, "search");
    const ours = state.startsWith(logoutPrefix);
    if (ours) cleanAddressBar(here, "search");
    else if (!postLogoutRedirectUri || !isAt(here, postLogoutRedirectUri)) {
      return undefined;
    }
    const pending = takeText(logins, logoutKey);
    return pending === null
      ? undefined
      : pending === JSON.stringify({ v: 1, state });
  }

  // ── The Rust side ─────────────────────────────────────────────────────────

  /** The instance, started; made anew after a failure or a trap. */
  function load(): Promise<Instance> {
    return (instance ??= make().catch((thrown: unknown) => {
      instance = undefined;
      const error = toAuthError(thrown, "start") as AnyAuthError;
      if (state.status === "loading") {
        tell({ status: "signedOut", reason: "unavailable", error });
      }
      throw error;
    }));
  }

  async function make(): Promise<Instance> {
    const [{ create, compile }, given] = await Promise.all([
      import("./engine.js").then((engine) => {
        // Needed as soon as there is a session: on its way beside the first.
        if (stored()) engine.preload(failed);
        return engine;
      }, missing),
      source(),
      asked,
    ]);
    const module = await compile(given, failed);
    if (ended.aborted) throw AuthError.of("disposed", {});
    const made = create(
      module,
      failed,
      client,
      TEXTS,
      WARNINGS,
      hear,
      (cause) => {
        instance = undefined;
        return AuthError.of("internal", { location: "wasm" }, true, cause);
      },
    );
    const response = callback;
    taken = callback = undefined;
    await made.call((core) => core.start(response));
    // It could not be handed over at first, and another call has loaded the Rust side now.
    if (response && !handled) handle(response).catch(reportForeign);
    return made;
  }

  /** Calls the Rust side; every error leaves as an `AuthError`. */
  async function call<T>(
    run: (core: AuthCore) => Promise<T>,
    signal?: AbortSignal | null,
  ): Promise<T> {
    const result = async () => (await load()).call(run);
    try {
      if (!signal) return await result();
      if (!(signal instanceof AbortSignal)) {
        throw refuse("signal", "not an AbortSignal");
      }
      return await abortable(result(), signal);
    } catch (thrown) {
      throw toAuthError(thrown, "call");
    }
  }

  function hear(json: string): void {
    if (ended.aborted) return;
    const heard = parseJson(json) as { error?: unknown };
    if (heard.error) heard.error = fromCore(heard.error as CoreError);
    const message = heard as Message;
    if ("event" in message) emit(message);
    // While it logs out, an instance that was only just started does not bring the session back.
    else if (!isLeaving || message.status === "signedOut") tell(message);
  }

  function tell(message: Extract<Message, { status: string }>): void {
    if (message.status === "loading") return;
    asking = {};
    const { error } = message;
    let next: SettledState<unknown>;
    if (message.status === "signedIn") {
      const { status, view, stale } = message;
      const { user, scope, refreshable } = view;
      tokens.hold(view);
      next = {
        status,
        user,
        scope,
        expiresAt: view.tokens[DEFAULT_TOKEN]?.expires_at ?? null,
        freshness: stale ? "stale" : "fresh",
        refreshable,
        error,
      };
    } else {
      const { status, reason } = message;
      const { reason: known } = state as { reason?: SignedOutReason };
      // A new instance knows of no logout.
      if (reason === "noSession" && /^loggedOut/.test(known!)) return;
      tokens.hold();
      isAnnounced = false;
      next = { status, user: null, reason, error };
    }
    const before = told;
    told = JSON.stringify(next);
    if (told === before) return;
    state = Object.freeze(next);
    settle(next);
    listeners.emit("state", state);
  }

  function emit(message: Extract<Message, { event: string }>): void {
    const { event, ...rest } = message;
    const moment: Record<string, unknown> = rest;
    const { status, user, error } = state;
    if (event === "signedIn") {
      const isRestored = moment.via === "restore";
      // The facade may have told it before the Rust side was loaded, or made anew.
      if (isRestored && isAnnounced) return;
      isAnnounced = true;
      if (status !== event) return;
      moment.user = user;
      if (isRestored) moment.via = via;
    }
    if (event === "signedOut") moment.error = error;
    if (event === "warning") moment.hint = WARNINGS[message.code] ?? "";
    listeners.emit(event, moment as never);
  }

  // ── Callback ──────────────────────────────────────────────────────────────

  function take(url: URL): string {
    taken = callback = callbackText(url, normal);
    cleaned = withoutResponse(url, part);
    cleanAddressBar(url, part);
    return taken;
  }

  /** Once for all who ask; one that could not be handed over because the Rust side could not be loaded is tried again. */
  function handle(text: string): Promise<CallbackResult<unknown>> {
    const completed = complete(text);
    handled = completed;
    completed.catch(() => {
      if (callback !== undefined) handled = undefined;
    });
    return completed;
  }

  async function handleCallback(
    url?: string | URL,
  ): Promise<CallbackResult<unknown>> {
    if (url === undefined && handled) return handled;
    let text = callback;
    if (url !== undefined || text === undefined) {
      const given = parse(url ?? location.href, "url");
      const here = given.href === location.href;
      // A response that is somebody else's stays where it is.
      text =
        here && isCallback(given, normal)
          ? take(given)
          : (callback = callbackText(given, normal));
    }
    return handle(text);
  }

  /** Completes the callback that was taken: cleaned from the address bar already, whatever comes of it. */
  async function complete(text: string): Promise<CallbackResult<unknown>> {
    const result = await call((core) => {
      taken = callback = undefined;
      return core.handleCallback(text);
    });
    const { returnTo, appState } = parseJson(result) as {
      returnTo: string | null;
      appState: string | null;
    };
    const completed: CallbackResult<unknown> = {
      state: state as SignedInState<unknown>,
      returnTo: returnTo ?? cleaned,
      appState: appState === null ? undefined : parseJson(appState),
    };
    const { onCallback } = client.options;
    if (onCallback) onCallback(completed as never);
    else history.replaceState(history.state, "", completed.returnTo);
    return completed;
  }

  // ── Methods ───────────────────────────────────────────────────────────────

  async function login(options: LoginOptions = {}): Promise<never> {
    checkObject(options, "options");
    typed(options.navigate, "navigate", "function");
    const returnTo = parse(options.returnTo ?? location.href, "returnTo");
    if (returnTo.origin !== origin) {
      throw refuse("returnTo", "of another origin");
    }
    const json = JSON.stringify({
      // Asked before anything is waited for: a click is soon forgotten.
      byUser: navigator.userActivation?.isActive,
      // RFC 9700 §4.4.2: who answers is then told by `iss` alone.
      sharedRedirect: [...clients.values()].some(
        ({ normal: other }) =>
          other.redirectUri === redirectUri && other.server !== normal.server,
      ),
      params: {
        ...normal.params,
        ...paramsOf(options, "options"),
      },
      // A response that stands in the address bar is not stored: nobody comes back to it.
      returnTo: isCallback(returnTo, normal)
        ? withoutResponse(returnTo, part)
        : returnTo.pathname + returnTo.search + returnTo.hash,
      appState: jsonText(options.appState, "appState"),
    });
    const url = await call((core) => core.beginLogin(json), options.signal);
    await navigate(url, options);
    // A page that comes back from the back/forward cache would wait for ever.
    return new Promise<never>((_, reject) => away.add(reject));
  }

  async function logout(options: LogoutOptions = {}): Promise<void> {
    if (ended.aborted) throw AuthError.of("disposed", {});
    checkObject(options, "options");
    typed(options.navigate, "navigate", "function");
    const json = JSON.stringify({
      local: typed(options.local, "local", "boolean"),
      revoke: typed(options.revoke, "revoke", "boolean"),
      params: logoutParams(options.extra, normal),
      statePrefix: logoutPrefix,
      postLogoutRedirectUri: afterLogout(options),
    });
    isLeaving = true;
    try {
      tell({ status: "signedOut", reason: "loggedOut", error: null });
      const url = await call((core) => core.beginLogout(json));
      if (url !== undefined) await navigate(url, options);
    } catch (error) {
      // Even where the Rust side cannot be loaded, nothing stays.
      takeText(storage, key);
      throw error;
    } finally {
      isLeaving = false;
    }
  }

  async function getAccessToken(options?: AccessTokenOptions): Promise<string> {
    const wishes = options ?? {};
    seconds(wishes.minValidity, "minValidity", 0, 2 ** 31);
    // A disposed client holds none.
    return fresh(wishes) ?? renewed(wishes);
  }

  function fresh(wishes: AccessTokenOptions): string | undefined {
    return wishes.forceRefresh || wishes.refused
      ? undefined
      : tokens.fresh(tokens.find(wishes), wishes.minValidity);
  }

  function renewed(wishes: AccessTokenOptions): Promise<string> {
    const { minValidity, forceRefresh, signal, refused, challenge } = wishes;
    if (ended.aborted) throw AuthError.of("disposed", {});
    const { reason } = state as { reason?: SignedOutReason };
    if (reason && reason !== "unavailable") {
      throw AuthError.of("login_required", { reason });
    }
    const json = JSON.stringify({
      key: tokens.find(wishes).key,
      minValidity,
      forceRefresh: typed(forceRefresh, "forceRefresh", "boolean"),
      refused: optional(refused, "refused", text),
      challenge,
    });
    // A callback may have brought it meanwhile.
    const answer = (asking[json] ??= call(
      async (core) => fresh(wishes) ?? core.refresh(json),
    ).finally(() => delete asking[json]));
    if (!signal) return answer;
    // Nobody may be left to hear how it ends.
    answer.catch(() => {});
    return call(() => answer, signal);
  }

  function dispose(): void {
    if (ended.aborted) return;
    end.abort();
    clients.delete(key);
    tokens.hold();
    listeners.clear();
    instance?.then(
      ({ core }) => core.free(),
      () => {},
    );
    instance = undefined;
    // A response that was not handed over is the next client's: StrictMode makes one at once.
    if (taken) history.replaceState(history.state, "", taken);
  }

  function stored(): string | null {
    return readText(storage, key);
  }

  /** The storage is another tab's, too, and there is a session now: the Rust side hears of what comes after. */
  function signedInElsewhere(): void {
    if (state.status === "signedOut" && stored()) {
      via = "otherTab";
      wake();
    }
  }

  /** Out of the back/forward cache. */
  function cameBack(event: PageTransitionEvent): void {
    if (!event.persisted) return;
    for (const reject of away) reject(AuthError.of("aborted", {}));
    away.clear();
    // On a later page somebody signed in, or it ended there: nobody sees who was there before.
    const text = stored();
    if (text) {
      if (text !== left || state.status === "signedOut") adopt();
    } else if (left) {
      const reason = "loggedOutElsewhere";
      tell({ status: "signedOut", reason, error: null });
      instance
        ?.then(({ core }) => core.beginLogout('{"elsewhere":true}'))
        .catch(() => {});
    }
  }
}

async function navigate(
  url: string,
  options: LoginOptions | LogoutOptions,
): Promise<void> {
  if (options.navigate) await options.navigate(url);
  else location.assign(url);
}

function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () =>
      reject(AuthError.of("aborted", {}, false, signal.reason));
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort);
    work
      .then(resolve, reject)
      .then(() => signal.removeEventListener("abort", abort));
  });
}

function whenIdle(task: () => void): void {
  if (typeof requestIdleCallback === "function")
    requestIdleCallback(task, { timeout: 2000 });
  else setTimeout(task, 200);
}
