// The generated glue, as scripts/glue.mjs finishes it. Not shipped.

/** What the Rust side calls. */
export interface Host {
  /** Where the session is kept; `null` where the browser denies it, `undefined` for memory only. */
  readonly session: object | null | undefined;
  /** Where pending logins are kept; `null` where the browser denies it. */
  readonly logins: object | null;
  readonly transport:
    ((request: Request, endpoint: never) => unknown) | undefined;
  readonly log:
    | ((level: string, message: string, name: string, value: string) => void)
    | undefined;
  tell(message: string): void;
}

/** Strings are JSON; promises reject with one. */
export interface AuthCore {
  start(callback?: string): Promise<void>;
  handleCallback(url: string): Promise<string>;
  beginLogin(options: string): Promise<string>;
  refresh(options: string): Promise<string>;
  beginLogout(options: string): Promise<string | undefined>;
  idToken(): string | undefined;
  userInfo(): Promise<string>;
  free(): void;
}

/** What `start` gives, also to a page that was in the back/forward cache meanwhile, whatever the engine forgets there. */
export function lasting<T>(start: () => Promise<T>): Promise<T>;

/** Instantiates the module; `secondary` loads the one with the rest of the program, when that is needed. After a trap the instance is dead: `trapped` is called once, and nothing of it runs any more. */
export function createCore(
  module: WebAssembly.Module,
  trapped: (cause: unknown) => void,
  secondary: () => Promise<WebAssembly.Module>,
): new (options: string, host: Host) => AuthCore;
