// Drives the pages of a contestant.

import { users } from "../../www-demo/op/users.mjs";

const ready = async (page) => {
  await page.waitForFunction(() => "bench" in window);
  return page.evaluate(() => window.bench.state());
};

/** Opens the application in a tab of its own. */
export async function open(context, site, storage = {}) {
  const page = await context.newPage();
  if (Object.keys(storage).length > 0) {
    await page.goto(`${site.url}/blank`);
    await page.evaluate((storage) => {
      for (const [key, value] of Object.entries(storage))
        sessionStorage.setItem(key, value);
    }, storage);
  }
  await page.goto(`${site.url}/`);
  await ready(page);
  return page;
}

/** A clone by `window.open`: the sessionStorage is copied, the renderer process shared. */
export async function clone(page) {
  const [child] = await Promise.all([
    page.waitForEvent("popup"),
    page.evaluate(() => void window.open("/")),
  ]);
  await ready(child);
  return child;
}

/** What the sessionStorage of a tab holds. */
export const dump = (page) => page.evaluate(() => ({ ...sessionStorage }));

/** Leaves for the provider and signs in there, where it asks. */
export async function throughProvider(page, site) {
  const [{ login }] = users;
  const button = page.locator(`button.user:has-text("${login}")`);
  await page.evaluate(() => window.bench.signIn());
  await page.waitForURL((url) => url.origin !== site.url || url.search !== "");
  if (/\/interaction\//.test(page.url())) await button.click();
}

/** Signs in. */
export async function signIn(page, site) {
  const home = page.waitForFunction(
    (origin) => location.origin === origin && location.pathname === "/",
    site.url,
  );
  await throughProvider(page, site);
  await home.catch(() => {});
  await page.waitForURL(`${site.url}/`);
  return ready(page);
}

/** Reloads. */
export async function reload(page) {
  await page.reload();
  return ready(page);
}

/** Leaves the application by a link and comes back. */
export async function leave(page, site) {
  await page.goto(`${site.url}/blank`);
  await page.goto(`${site.url}/`);
  return ready(page);
}

/** Kills the renderer process of a tab, and with it that of its clones. */
export async function crash(page) {
  const session = await page.context().newCDPSession(page);
  const crashed = new Promise((resolve) => page.once("crash", resolve));
  session.send("Page.crash").catch(() => {});
  await crashed;
}

/** Freezes a tab, or thaws it (`"frozen"`, `"active"`). One that crashes meanwhile never answers. */
export async function lifecycle(page, state) {
  const crashed = new Promise((resolve) => page.once("crash", resolve));
  const change = async () => {
    const session = await page.context().newCDPSession(page);
    await session.send("Page.setWebLifecycleState", { state });
    await session.detach();
  };
  await Promise.race([change(), crashed]);
}
