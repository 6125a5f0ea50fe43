// A browser of the test's own: it keeps pages in its back/forward cache, freezes them, and can be killed.

import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, firefox } from "@playwright/test";

/** `start()` gives a context on a profile that outlives `kill()`; `remove()` leaves nothing. */
export function startOwnBrowser(browserName, launchOptions, watch) {
  const profile = mkdtemp(join(tmpdir(), "countersign-"));
  let close;
  let kill;
  const own = {
    async start() {
      const launch = browserName === "chromium" ? startChromium : startFirefox;
      const started = await launch(await profile, launchOptions);
      ({ close, kill } = started);
      own.renderers = started.renderers;
      started.context.on("page", watch);
      return started.context;
    },
    /** Ends every process of it, at once. */
    async kill() {
      const end = kill;
      close = kill = undefined;
      await end();
    },
    /** Ends it as its user would. */
    async stop() {
      await close?.();
      close = undefined;
    },
    async remove() {
      await own.stop();
      await rm(await profile, { recursive: true, force: true, maxRetries: 20 });
    },
  };
  return own;
}

/** Without Playwright's defaults: they keep every page visible, and none in the back/forward cache. */
async function startChromium(profile, { executablePath, args = [] }) {
  const browser = spawn(
    executablePath,
    [
      "--headless",
      "--remote-debugging-port=0",
      `--user-data-dir=${profile}`,
      "--no-first-run",
      "--disable-background-networking",
      "--disable-popup-blocking",
      "--disable-background-timer-throttling",
      "--disable-renderer-backgrounding",
      "--disable-backgrounding-occluded-windows",
      ...args,
      "about:blank",
    ],
    { detached: true, stdio: ["ignore", "ignore", "pipe"] },
  );
  const ended = new Promise((resolve) => browser.once("exit", resolve));
  const endpoint = await new Promise((resolve, reject) => {
    let said = "";
    browser.stderr.on("data", (chunk) => {
      said += chunk;
      const found = /DevTools listening on (ws:\S+)/.exec(said);
      if (found) resolve(found[1]);
    });
    ended.then(() => reject(new Error(said)));
  });
  const driver = await chromium.connectOverCDP(endpoint, {
    noDefaults: true,
    isLocal: true,
  });
  const killAll = () => {
    try {
      process.kill(-browser.pid, "SIGKILL");
    } catch {
      // They have ended.
    }
  };
  const kill = async () => {
    killAll();
    await ended;
    await driver.close().catch(() => {});
  };
  const session = await driver.newBrowserCDPSession();
  return {
    context: driver.contexts()[0],
    kill,
    async close() {
      await session.send("Browser.close").catch(() => {});
      await ended;
      // Some of its helpers stay a little longer.
      killAll();
      await driver.close().catch(() => {});
    },
    /** How many processes have pages in them. */
    async renderers() {
      const { processInfo } = await session.send("SystemInfo.getProcessInfo");
      return processInfo.filter(({ type }) => type === "renderer").length;
    },
  };
}

async function startFirefox(profile, { executablePath }) {
  const context = await firefox.launchPersistentContext(profile, {
    executablePath,
    channel: "moz-firefox",
  });
  return {
    context,
    close: () => context.close(),
    async kill() {
      for (const pid of processesOf(profile)) process.kill(pid, "SIGKILL");
      await context.close().catch(() => {});
    },
  };
}

/** The processes that were started with this profile, children last. */
function processesOf(profile) {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(profile);
      } catch {
        return false;
      }
    })
    .map(Number);
}
