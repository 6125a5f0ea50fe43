// The demo, as a visitor uses it: the provider is chosen from the list, and everything goes as it goes there.

import { serve } from "../../www-demo/serve.mjs";
import { bundlePage, packageDirectory, startApp } from "../support/app.mjs";
import { begin, leave, open } from "../support/driver.mjs";
import { expect, quick, test as base } from "../support/fixtures.mjs";

const test = base.extend({
  demo: [
    async ({}, use) => {
      const demo = await serve({ packageDirectory });
      await use(demo);
      await demo.close();
    },
    { scope: "worker" },
  ],
});
test.use(quick);

/** By what stands in the list: who signed in, whether there is a UserInfo endpoint; the relayed one is not told of a logout. */
const list = {
  "oidc-provider": { id: "local", userInfo: true },
  Auth0: { id: "auth0", userInfo: true },
  UPBOND: { id: "upbond", userInfo: true },
  cidaas: { id: "cidaas", userInfo: true },
  Pagero: { id: "pagero", relayed: true },
};

const status = (page) => page.locator("html");
const progress = (page, step) => page.locator(`#step-${step}`);

/** Chooses a provider from the list of the first page, and gives it. */
async function choose(page, demo, name) {
  await page.goto(demo.url);
  await page.getByRole("link", { name, exact: true }).click();
  const chosen = demo.providers.find(({ id }) => id === list[name].id);
  await expect(page).toHaveURL(new URL(chosen.path, demo.url).href);
  await expect(status(page)).toHaveAttribute("data-status", "signedOut");
  return chosen;
}

async function signIn(page) {
  await page.click("#sign-in");
  await page.click('button.user:has-text("alice")');
  await expect(status(page)).toHaveAttribute("data-status", "signedIn");
}

/** Turns one of the page's switches; the server has heard of it then. */
async function turned(page, name) {
  const heard = page.waitForResponse((response) =>
    response.url().endsWith(`/demo/${name}`),
  );
  await page.click(`#${name}`);
  expect((await heard).status()).toBe(200);
}

test("an application of a visitor's own, on the port of a dev server, signs in with what npm start prints", async ({
  page,
  demo,
}) => {
  const { ports, options, apiUrl } = demo.visitor;
  const scripts = await bundlePage();
  // Whichever of them is free.
  const own = await ports.reduce(
    async (found, port) =>
      (await found) ?? startApp(scripts, { port }).catch(() => undefined),
    undefined,
  );
  try {
    await open(page, own);
    await begin(page, options);
    await leave(page, {}, /\/interaction\//);
    await Promise.all([
      page.waitForURL(`${own.url}/**`),
      page.click('button.user:has-text("alice")'),
    ]);
    await page.waitForFunction(() => "createAuth" in window);
    const state = await begin(page, options);
    expect(state).toMatchObject({ status: "signedIn", error: null });
    const said = await page.evaluate(
      async (url) => (await auth.fetch(url)).json(),
      apiUrl,
    );
    expect(said.sub).toBe(state.user.sub);
  } finally {
    await own?.close();
  }
});

test("the list has all of them, and says which is chosen", async ({
  page,
  demo,
}) => {
  await page.goto(demo.url);
  const links = page.locator("#providers a");
  await expect(links).toHaveText(Object.keys(list));
  await expect(page.locator("#providers [aria-current=page]")).toHaveText([
    "oidc-provider",
  ]);
});

for (const [name, { userInfo = false, relayed = false }] of Object.entries(
  list,
)) {
  test(`the demo signs in at ${name}, calls the API, refreshes and logs out`, async ({
    page,
    demo,
  }) => {
    const bodies = [];
    page.on("request", (request) => bodies.push(request.postData() ?? ""));
    const { url, path } = await choose(page, demo, name);
    const home = new URL(path, demo.url).href;
    await signIn(page);
    await expect(page).toHaveURL(home);
    await expect(page.locator("#name")).toHaveText(
      relayed ? "Somebody" : "Alice Liddell",
    );
    await expect(page.locator("#step-4 .url").first()).toContainText(
      relayed ? `${home}/oauth/token` : url,
    );

    await page.click("#call");
    await expect(progress(page, 5)).toHaveAttribute("data-progress", "done");
    await expect(progress(page, 5)).toContainText("Hello, Alice Liddell.");
    await expect(page.locator("#userinfo")).toBeVisible({ visible: userInfo });
    if (userInfo) {
      await page.click("#userinfo");
      const asked = page.locator("#step-5 .exchange").nth(1);
      await expect(asked.locator(".outcome")).toHaveText("200");
      await expect(asked).toContainText("alice");
    }

    await page.click("#refresh");
    await expect(progress(page, 6)).toHaveAttribute("data-progress", "done");
    await page.setViewportSize({ width: 390, height: 800 });
    const beyond = await page.evaluate(() => {
      const { scrollWidth, clientWidth } = document.documentElement;
      return scrollWidth - clientWidth;
    });
    expect(beyond, "no scrolling sideways").toBe(0);
    await page.click("#reload");
    await expect(status(page)).toHaveAttribute("data-status", "signedIn");

    // Signed out it is at once; what counts is the page that the provider sends the browser back to.
    await page.evaluate(() => (window.isBeforeSignOut = true));
    await page.click("#sign-out");
    if (!relayed) await page.waitForFunction(() => !window.isBeforeSignOut);
    await expect(page).toHaveURL((at) => at.href.startsWith(home));
    await expect(status(page)).toHaveAttribute("data-status", "signedOut");
    await expect(progress(page, 7)).toHaveAttribute("data-progress", "done");
    await page.waitForLoadState();
    await page.reload();
    await expect(status(page)).toHaveAttribute("data-status", "signedOut");
    // The relay has the secret, or nobody needs one.
    for (const body of bodies) expect(body).not.toContain("client_secret");
    await expect(page.locator("#error")).toBeHidden();
  });

  test(`at ${name} the session survives a failing token endpoint, and ends when it was revoked`, async ({
    page,
    demo,
  }) => {
    await choose(page, demo, name);
    await signIn(page);
    await turned(page, "trouble");
    await page.click("#refresh");
    await expect(page.locator("#error")).toBeVisible();
    await expect(status(page)).toHaveAttribute("data-status", "signedIn");
    await turned(page, "trouble");
    // Not at once: a refresh that failed is not repeated before its pause is over.
    await expect(async () => {
      await page.click("#refresh");
      const done = { timeout: 200 };
      await expect(progress(page, 6)).toHaveAttribute(
        "data-progress",
        "done",
        done,
      );
    }).toPass();
    await turned(page, "revoke");
    await page.click("#refresh");
    await expect(status(page)).toHaveAttribute("data-status", "signedOut");
    await expect(page.locator("#about")).toHaveText("reason: refreshRejected");
  });
}

test("somebody can be signed in at two at once, each with a page of its own", async ({
  page,
  demo,
}) => {
  await choose(page, demo, "Auth0");
  await signIn(page);
  await choose(page, demo, "cidaas");
  await signIn(page);
  await page.getByRole("link", { name: "Auth0" }).click();
  await expect(status(page)).toHaveAttribute("data-status", "signedIn");
  await page.click("#sign-out");
  await expect(status(page)).toHaveAttribute("data-status", "signedOut");
  await page.getByRole("link", { name: "cidaas" }).click();
  await expect(status(page)).toHaveAttribute("data-status", "signedIn");
});

test("tabs stay in step: one refreshes, a clone and a new tab adopt it", async ({
  page,
  demo,
  context,
}) => {
  await choose(page, demo, "oidc-provider");
  await signIn(page);
  const opened = async (button) => {
    const [tab] = await Promise.all([
      context.waitForEvent("page"),
      page.click(button),
    ]);
    await expect(status(tab)).toHaveAttribute("data-status", "signedIn");
    return tab;
  };
  const tabs = [page, await opened("#clone"), await opened("#unrelated")];
  for (const tab of tabs)
    await expect(tab.locator("#in-step")).toHaveText(
      "✓ 3 tabs, one access token",
    );
  const token = page.locator("#tabs li").first().locator("code");
  const before = await token.innerText();
  await tabs[1].click("#refresh");
  await expect(token).not.toHaveText(before);
  for (const tab of tabs) {
    const rows = tab.locator("#tabs");
    await expect(rows.locator('[data-by="refreshed"]')).toHaveCount(1);
    await expect(rows.locator('[data-by="adopted"]')).toHaveCount(2);
    await expect(tab.locator("#in-step")).toHaveText(
      "✓ 3 tabs, one access token",
    );
  }
  await expect(tabs[2].locator("#events")).toContainText("by another tab");
  await page.click("#sign-out");
  for (const tab of tabs.slice(1))
    await expect(status(tab)).toHaveAttribute("data-status", "signedOut");
});
