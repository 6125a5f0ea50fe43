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
import { Listeners, reportLater } from "./listeners.js";
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
import { TokenCache } from "./tokens.js";
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
import { failed, type ModuleSource } from "./wasm.js";

/** Clients by issuer and client: equal options give the same one (double mount, hot reload). */
const clients = new Map<string, Client>();

const LOADING = Object.freeze({ status: "loading", user: null, error: null });

/** What to do about each; what only the Rust side tells comes with it, from texts.ts. */
const WARNINGS: Partial<Record<WarningCode, string>> = {
  logout_unconfirmed:
    "No state came back: register the exact postLogoutRedirectUri",
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
  const client = new Client(options, normal, source(options));
  clients.set(normal.key, client);
  client.begin();
  return client.auth;
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

/** What the Rust side tells. */
type Message =
  | { status: "loading" }
  | { status: "signedIn"; view: View; stale: boolean; error: CoreError | null }
  | { status: "signedOut"; reason: SignedOutReason; error: CoreError | null }
  | { event: "signedIn"; via: AuthEventMap["signedIn"]["via"] }
  | { event: "signedOut"; reason: SignedOutReason }
  | { event: "refreshed"; expiresAt: number | null }
  | { event: "refreshFailed"; error: CoreError; retryAt: number | null }
  | { event: "warning"; code: WarningCode };

/** What went wrong with a callback is in the state; what onCallback threw is the application's. */
function reportForeign(error: unknown): void {
  if (!(error instanceof AuthError)) reportLater(error);
}

class Client {
  readonly auth: Auth<unknown>;
  readonly #listeners = new Listeners<
    AuthEventMap<unknown> & { state: AuthState<unknown> }
  >();
  readonly #tokens = new TokenCache();
  #state: AuthState<unknown> = LOADING;
  /** The state as text: told again only when it differs. */
  #told = "";
  /** Where a session comes from that was found in the storage. */
  #via: "restore" | "otherTab" = "restore";
  #settle!: (state: SettledState<unknown>) => void;
  #instance: Promise<Instance> | undefined;
  /** A callback that was not yet handed over. */
  #callback: string | undefined;
  /** As long as it is one that was taken from the address bar. */
  #taken: string | undefined;
  /** Where the page is without the response, for a callback that knows no better. */
  #cleaned = "/";
  #handled: Promise<CallbackResult<unknown>> | undefined;
  #leaving = false;
  /** What the storage had when the page was left. */
  #left: string | null = null;
  /** Whether the session that there is was told of. */
  #announced = false;
  /** Settles when other tabs were asked for the session. */
  #asked: Promise<void> | undefined;
  readonly #end = new AbortController();
  readonly #away = new Set<(error: AuthError) => void>();

  constructor(
    public options: Options,
    readonly normal: NormalOptions,
    readonly source: ModuleSource,
  ) {
    const client = this;
    const { apiOrigins } = normal;
    const getAccessToken = this.#getAccessToken;
    this.auth = {
      get state() {
        return client.#state;
      },
      ready: this.#ready(),
      subscribe: (listener) => {
        const end = this.#listeners.on("state", listener);
        listener(this.#state);
        return end;
      },
      on: (type, listener, on) =>
        this.#listeners.on(type, listener, on?.signal),
      login: this.#login,
      isCallback: (url) =>
        (url === undefined && !!(this.#callback ?? this.#handled)) ||
        isCallback(parse(url ?? location.href, "url"), normal),
      handleCallback: this.#handleCallback,
      logout: this.#logout,
      getAccessToken,
      ...authorized(
        globalThis.fetch.bind(globalThis),
        [location.origin, ...apiOrigins],
        getAccessToken,
      ),
      getIdToken: () => this.#call(async (core) => core.idToken() ?? null),
      fetchUserInfo: async (options) =>
        parseJson(
          await this.#call((core) => core.userInfo(), options?.signal),
        ) as UserInfo,
      preload: () => this.#call(async () => {}),
      dispose: this.#dispose,
    };
  }

  /** Not before the page is where the sign-in goes back to. */
  async #ready(): Promise<SettledState<unknown>> {
    const state = await new Promise<SettledState<unknown>>(
      (resolve) => (this.#settle = resolve),
    );
    await this.#handled?.catch(() => {});
    return state;
  }

  /** Takes a response out of the address bar, or reads what is stored: all before anything is loaded. */
  begin(): void {
    const { callback, shares } = this.normal;
    const { signal } = this.#end;
    addEventListener("pagehide", () => (this.#left = this.#stored()), {
      signal,
    });
    addEventListener("pageshow", this.#cameBack, { signal });
    addEventListener("storage", this.#signedInElsewhere, { signal });
    const here = new URL(location.href);
    const isBack = isCallback(here, this.normal);
    let asks = false;
    if (isBack && callback === "auto") {
      this.#handle(this.#take(here)).catch(reportForeign);
    } else {
      const loggedOut = this.#returned(here);
      asks = shares && !isBack && loggedOut === undefined && !this.#stored();
      if (!asks) this.#restore(loggedOut);
    }
    if (asks) {
      this.#asked = this.#share(true).then(this.#adopt);
    } else if (shares) {
      whenIdle(() => this.#share(false));
    }
  }

  /** Answers new tabs from now on; asks them for the session first, if this is one. Where it cannot be loaded, nothing is shared. */
  #share = (asks: boolean): Promise<void> =>
    import("./share.js")
      .then(({ share }) => share(this, isOurs, this.#end.signal, asks))
      .catch(() => {});

  /** Shows what another page has brought. */
  #adopt = (): void => {
    if (this.#end.signal.aborted) return;
    this.#via = "otherTab";
    this.#restore();
  };

  /** Shows what is stored. */
  #restore(loggedOut?: boolean): void {
    const stored = this.#stored();
    const view = freshView(stored, this.normal.oidc);
    if (!stored) {
      const reason = loggedOut === undefined ? "noSession" : "loggedOut";
      this.#tell({ status: "signedOut", reason, error: null });
      if (loggedOut === false) {
        queueMicrotask(() =>
          this.#emit({ event: "warning", code: "logout_unconfirmed" }),
        );
      }
    } else if (view) {
      this.#tell({ status: "signedIn", view, stale: false, error: null });
      // Listeners are attached after createAuth has returned.
      queueMicrotask(() => this.#emit({ event: "signedIn", via: "restore" }));
      whenIdle(this.#wake);
    } else {
      this.#wake();
    }
  }

  #wake = (): void => void this.#load().catch(() => {});

  /** Whether this page is what the pending logout comes back to, and whether it is proven to be (OIDC RP-Initiated Logout §3). */
  #returned(here: URL): boolean | undefined {
    const { logins, logoutKey, logoutPrefix, postLogoutRedirectUri } =
      this.normal;
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
  #load(): Promise<Instance> {
    return (this.#instance ??= this.#make().catch((thrown: unknown) => {
      this.#instance = undefined;
      const error = toAuthError(thrown, "start") as AnyAuthError;
      if (this.#state.status === "loading") {
        this.#tell({ status: "signedOut", reason: "unavailable", error });
      }
      throw error;
    }));
  }

  async #make(): Promise<Instance> {
    const [{ makeInstance }, module] = await Promise.all([
      import("./engine.js").catch((cause: unknown) => {
        throw failed("network", null, cause);
      }),
      this.source(),
      this.#asked,
    ]);
    if (this.#end.signal.aborted) throw AuthError.of("disposed", {});
    const instance = makeInstance(
      module,
      this,
      TEXTS,
      WARNINGS,
      this.#hear,
      (cause) => {
        this.#instance = undefined;
        return AuthError.of("internal", { location: "wasm" }, true, cause);
      },
    );
    const callback = this.#callback;
    this.#taken = this.#callback = undefined;
    await instance.call((core) => core.start(callback));
    // It could not be handed over at first, and another call has loaded the Rust side now.
    if (callback && !this.#handled) this.#handle(callback).catch(reportForeign);
    return instance;
  }

  /** Calls the Rust side; every error leaves as an `AuthError`. */
  async #call<T>(
    call: (core: AuthCore) => Promise<T>,
    signal?: AbortSignal | null,
  ): Promise<T> {
    const run = async () => (await this.#load()).call(call);
    try {
      if (!signal) return await run();
      if (!(signal instanceof AbortSignal)) {
        throw refuse("signal", "not an AbortSignal");
      }
      return await abortable(run(), signal);
    } catch (thrown) {
      throw toAuthError(thrown, "call");
    }
  }

  #hear = (json: string): void => {
    if (this.#end.signal.aborted) return;
    const message = parseJson(json) as Message;
    if ("event" in message) this.#emit(message);
    // While it logs out, an instance that was only just started does not bring the session back.
    else if (!this.#leaving || message.status === "signedOut")
      this.#tell(message);
  };

  #tell(
    message:
      | Extract<Message, { status: string }>
      | {
          status: "signedOut";
          reason: SignedOutReason;
          error: AnyAuthError | null;
        },
  ): void {
    if (message.status === "loading") return;
    const error =
      message.error instanceof AuthError
        ? (message.error as AnyAuthError)
        : fromCore(message.error);
    let state: SettledState<unknown>;
    if (message.status === "signedIn") {
      const { status, view, stale } = message;
      const { user, scope, tokens, refreshable } = view;
      this.#tokens.hold(view);
      state = {
        status,
        user,
        scope,
        expiresAt: tokens[DEFAULT_TOKEN]?.expires_at ?? null,
        freshness: stale ? "stale" : "fresh",
        refreshable,
        error,
      };
    } else {
      const { status, reason } = message;
      const known = this.#state.status === status ? this.#state.reason : "";
      // A new instance knows of no logout.
      if (reason === "noSession" && /^loggedOut/.test(known)) return;
      this.#tokens.hold();
      this.#announced = false;
      state = { status, user: null, reason, error };
    }
    const told = this.#told;
    this.#told = JSON.stringify(state);
    if (told === this.#told) return;
    this.#state = Object.freeze(state);
    this.#settle(state);
    this.#listeners.emit("state", this.#state);
  }

  #emit(message: Extract<Message, { event: string }>): void {
    const { event, ...rest } = message;
    const moment: Record<string, unknown> = rest;
    const { status, user, error } = this.#state;
    if (event === "signedIn") {
      const isRestored = moment.via === "restore";
      // The facade may have told it before the Rust side was loaded, or made anew.
      if (isRestored && this.#announced) return;
      this.#announced = true;
      if (status !== event) return;
      moment.user = user;
      if (isRestored) moment.via = this.#via;
    }
    if (event === "signedOut") moment.error = error;
    if (event === "refreshFailed") moment.error = fromCore(message.error);
    if (event === "warning") moment.hint = WARNINGS[message.code] ?? "";
    this.#listeners.emit(event, moment as never);
  }

  // ── Callback ──────────────────────────────────────────────────────────────

  #take(url: URL): string {
    const callback = callbackText(url, this.normal);
    this.#taken = this.#callback = callback;
    this.#cleaned = withoutResponse(url, this.normal.part);
    cleanAddressBar(url, this.normal.part);
    return callback;
  }

  /** Once for all who ask; one that could not be handed over because the Rust side could not be loaded is tried again. */
  #handle(callback: string): Promise<CallbackResult<unknown>> {
    const handled = this.#complete(callback);
    this.#handled = handled;
    handled.catch(() => {
      if (this.#callback !== undefined) this.#handled = undefined;
    });
    return handled;
  }

  #handleCallback = async (
    url?: string | URL,
  ): Promise<CallbackResult<unknown>> => {
    if (url === undefined && this.#handled) return this.#handled;
    let callback = this.#callback;
    if (url !== undefined || callback === undefined) {
      const given = parse(url ?? location.href, "url");
      const here = given.href === location.href;
      // A response that is somebody else's stays where it is.
      callback =
        here && isCallback(given, this.normal)
          ? this.#take(given)
          : (this.#callback = callbackText(given, this.normal));
    }
    return this.#handle(callback);
  };

  /** Completes the callback that was taken: cleaned from the address bar already, whatever comes of it. */
  async #complete(callback: string): Promise<CallbackResult<unknown>> {
    const result = await this.#call((core) => {
      this.#taken = this.#callback = undefined;
      return core.handleCallback(callback);
    });
    const { returnTo, appState } = parseJson(result) as {
      returnTo: string | null;
      appState: string | null;
    };
    const completed: CallbackResult<unknown> = {
      state: this.#state as SignedInState<unknown>,
      returnTo: returnTo ?? this.#cleaned,
      appState: appState === null ? undefined : parseJson(appState),
    };
    const { onCallback } = this.options;
    if (onCallback) onCallback(completed as never);
    else history.replaceState(history.state, "", completed.returnTo);
    return completed;
  }

  // ── Methods ───────────────────────────────────────────────────────────────

  #login = async (options: LoginOptions = {}): Promise<never> => {
    checkObject(options, "options");
    typed(options.navigate, "navigate", "function");
    const returnTo = parse(options.returnTo ?? location.href, "returnTo");
    if (returnTo.origin !== location.origin) {
      throw refuse("returnTo", "of another origin");
    }
    const { params, redirectUri, server } = this.normal;
    const json = JSON.stringify({
      // Asked before anything is waited for: a click is soon forgotten.
      byUser: navigator.userActivation?.isActive,
      // RFC 9700 §4.4.2: who answers is then told by `iss` alone.
      sharedRedirect: [...clients.values()].some(
        ({ normal }) =>
          normal.redirectUri === redirectUri && normal.server !== server,
      ),
      params: {
        ...params,
        ...paramsOf(options, "options"),
      },
      // A response that stands in the address bar is not stored: nobody comes back to it.
      returnTo: isCallback(returnTo, this.normal)
        ? withoutResponse(returnTo, this.normal.part)
        : returnTo.pathname + returnTo.search + returnTo.hash,
      appState: jsonText(options.appState, "appState"),
    });
    const url = await this.#call(
      (core) => core.beginLogin(json),
      options.signal,
    );
    await navigate(url, options);
    // A page that comes back from the back/forward cache would wait for ever.
    return new Promise<never>((_, reject) => this.#away.add(reject));
  };

  #logout = async (options: LogoutOptions = {}): Promise<void> => {
    if (this.#end.signal.aborted) throw AuthError.of("disposed", {});
    checkObject(options, "options");
    typed(options.navigate, "navigate", "function");
    const json = JSON.stringify({
      local: typed(options.local, "local", "boolean"),
      revoke: typed(options.revoke, "revoke", "boolean"),
      params: logoutParams(options.extra, this.normal),
      statePrefix: this.normal.logoutPrefix,
      postLogoutRedirectUri: afterLogout(options),
    });
    this.#leaving = true;
    try {
      this.#tell({ status: "signedOut", reason: "loggedOut", error: null });
      const url = await this.#call((core) => core.beginLogout(json));
      if (url !== undefined) await navigate(url, options);
    } catch (error) {
      // Even where the Rust side cannot be loaded, nothing stays.
      takeText(this.normal.storage, this.normal.key);
      throw error;
    } finally {
      this.#leaving = false;
    }
  };

  #getAccessToken = async (options?: AccessTokenOptions): Promise<string> => {
    const wishes = options ?? {};
    const { minValidity, forceRefresh, signal, refused, challenge } = wishes;
    seconds(minValidity, "minValidity", 0, 2 ** 31);
    const wish = this.#tokens.find(wishes);
    // A disposed client holds none.
    const held =
      forceRefresh || refused
        ? undefined
        : this.#tokens.fresh(wish, minValidity);
    if (held !== undefined) return held;
    if (this.#end.signal.aborted) throw AuthError.of("disposed", {});
    if (
      this.#state.status === "signedOut" &&
      this.#state.reason !== "unavailable"
    ) {
      throw AuthError.of("login_required", { reason: this.#state.reason });
    }
    const json = JSON.stringify({
      key: wish.key,
      minValidity,
      forceRefresh: typed(forceRefresh, "forceRefresh", "boolean"),
      refused: optional(refused, "refused", text),
      challenge,
    });
    return this.#call((core) => core.refresh(json), signal);
  };

  #dispose = (): void => {
    if (this.#end.signal.aborted) return;
    this.#end.abort();
    clients.delete(this.normal.key);
    this.#tokens.hold();
    this.#listeners.clear();
    this.#instance?.then(
      ({ core }) => core.free(),
      () => {},
    );
    this.#instance = undefined;
    // A response that was not handed over is the next client's: StrictMode makes one at once.
    if (this.#taken) history.replaceState(history.state, "", this.#taken);
  };

  #stored = (): string | null => readText(this.normal.storage, this.normal.key);

  /** The storage is another tab's, too, and there is a session now: the Rust side hears of what comes after. */
  #signedInElsewhere = (): void => {
    if (this.#state.status === "signedOut" && this.#stored()) {
      this.#via = "otherTab";
      this.#wake();
    }
  };

  /** Out of the back/forward cache. */
  #cameBack = (event: PageTransitionEvent): void => {
    if (!event.persisted) return;
    for (const reject of this.#away) reject(AuthError.of("aborted", {}));
    this.#away.clear();
    // On a later page somebody signed in, or it ended there: nobody sees who was there before.
    const stored = this.#stored();
    if (stored) {
      if (stored !== this.#left || this.#state.status === "signedOut")
        this.#adopt();
    } else if (this.#left) {
      const reason = "loggedOutElsewhere";
      this.#tell({ status: "signedOut", reason, error: null });
      this.#instance
        ?.then(({ core }) => core.beginLogout('{"elsewhere":true}'))
        .catch(() => {});
    }
  };
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
