// The tabs of the demo that are open, and what each did last: the page's own news, beside what countersign does.

import type { Auth, IdTokenClaims } from "countersign";

/** What a tab says of itself. */
export interface Tab {
  /** Of this page load. */
  readonly id: string;
  readonly letter: string;
  /** When it was loaded, in epoch milliseconds. */
  readonly since: number;
  /** How it was opened. */
  readonly origin: "clone" | "new";
  readonly status: string;
  /** What it holds, by the first characters of its access token's hash. */
  readonly token: string | null;
  /** How that token came, and when. */
  readonly by: "refreshed" | "adopted" | "restored" | "signed in" | null;
  readonly at: number | null;
}

type News = Tab | { readonly id: string; readonly gone: true };

export interface Tabs {
  /** A refresh request of this tab's own was answered. */
  refreshed(): void;
  /** Something changed: looks at the session, and tells the others. */
  tell(by?: Tab["by"]): void;
  /** Whether the last refresh was this tab's own. */
  readonly wasOurs: boolean;
}

const letters = "ABCDEFGHJKLMNPQRSTUVWXYZ";

/** Joins the tabs of this provider; `onChange` gets all of them, this one first. */
export function joinTabs(
  provider: string,
  auth: () => Auth<IdTokenClaims | null>,
  onChange: (mine: Tab, others: readonly Tab[]) => void,
): Tabs {
  const id = crypto.randomUUID();
  const others = new Map<string, Tab>();
  let channel = open();
  let ownRefresh = false;
  let wasOurs = false;
  // One after the other: a hash of the old token may come after one of the new.
  let told = Promise.resolve();
  let mine: Tab = {
    ...{ id, letter: "A", status: "loading", token: null, by: null, at: null },
    origin: opener === null ? "new" : "clone",
    since: performance.timeOrigin,
  };

  function open(): BroadcastChannel {
    const opened = new BroadcastChannel(`demo:tabs:${provider}`);
    opened.addEventListener("message", ({ data }) => hear(data as News));
    opened.postMessage("who?");
    return opened;
  }

  function hear(news: News | "who?"): void {
    if (news === "who?") return say();
    if ("gone" in news) others.delete(news.id);
    else others.set(news.id, news);
    // Two that chose the same letter: the older keeps it.
    const taken = [...others.values()].filter(
      ({ letter, since }) => letter === mine.letter && since < mine.since,
    );
    if (taken.length > 0) {
      const free = [...letters].find((letter) =>
        [...others.values()].every((other) => other.letter !== letter),
      );
      mine = { ...mine, letter: free ?? "?" };
      say();
    }
    show();
  }

  function say(): void {
    channel.postMessage(mine);
  }

  function show(): void {
    onChange(
      mine,
      [...others.values()].sort((a, b) => (a.letter < b.letter ? -1 : 1)),
    );
  }

  async function tell(by: Tab["by"] = null): Promise<void> {
    const { status } = auth().state;
    const token = status === "signedIn" ? await fingerprint(auth()) : null;
    const isNew = token !== mine.token;
    const came = by ?? (isNew ? "restored" : mine.by);
    const at = isNew || by !== null ? Date.now() : mine.at;
    mine =
      token === null
        ? { ...mine, status, token, by: null, at: null }
        : { ...mine, status, token, by: came, at };
    say();
    show();
  }

  // A message would evict a page from the back/forward cache.
  addEventListener("pagehide", () => {
    channel.postMessage({ id, gone: true });
    channel.close();
  });
  addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    others.clear();
    channel = open();
    say();
  });
  show();

  return {
    refreshed: () => {
      ownRefresh = true;
    },
    tell: (by) => {
      if (by === "adopted") {
        wasOurs = ownRefresh;
        ownRefresh = false;
      }
      const came = by === "adopted" && wasOurs ? "refreshed" : by;
      told = told.then(() => tell(came));
    },
    get wasOurs() {
      return wasOurs;
    },
  };
}

/** Enough of a hash to see whether two tokens are the same; nothing of the token. */
async function fingerprint(
  auth: Auth<IdTokenClaims | null>,
): Promise<string | null> {
  try {
    const token = await auth.getAccessToken({ minValidity: 0 });
    const bytes = new TextEncoder().encode(token);
    const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    return [...hash.subarray(0, 3)]
      .map((byte) => byte.toString(16).padStart(2, "0"))
      .join("");
  } catch {
    return null;
  }
}
