// Drives an application that begins by itself.

import { expect } from "@playwright/test";
import { optionsFor } from "../support/driver.mjs";

/** The application's pages of a context, from now on, with this provider. */
export async function prepare(page, app, provider, setup = {}) {
  const { more, ...rest } = setup;
  const options = optionsFor(app, provider, more);
  const given = JSON.stringify({ options, ...rest });
  await page
    .context()
    .addInitScript(
      `if (location.origin === ${JSON.stringify(app.url)}) window.setup = ${given};`,
    );
  return options;
}

/** Opens the application and waits until it shows such a text. */
export async function visit(page, app, path, text) {
  await page.goto(app.url + path);
  await shows(page, text);
}

/** Waits until the application shows such a text. */
export const shows = (page, text) =>
  expect(page.locator("main").first()).toContainText(text, { timeout: 15_000 });

/** How often a browser was sent to the provider to sign in. */
export const logins = (scripted) => scripted.count("authorization");

/** Long enough for a login that should not be there. */
export async function nothingMore(page, scripted, expected) {
  await page.waitForTimeout(1500);
  expect(logins(scripted)).toBe(expected);
}

/** The next code is refused. */
export const refuseCode = (scripted) =>
  scripted.answerNext("token", {
    status: 400,
    json: { error: "invalid_grant" },
  });

/** In Firefox the driver looks into every page that it loads, and each look counts as the user's doing. */
export const withoutClicks = (page) =>
  page.addInitScript(() => {
    Object.defineProperty(navigator, "userActivation", {
      value: { isActive: false, hasBeenActive: false },
    });
  });

/** What a console said of the framework, from now on. */
export function complaints(page) {
  const said = [];
  page.on("console", (message) => {
    if (["warning", "error"].includes(message.type()))
      said.push(message.text());
  });
  return said;
}

/** Serves a page that has been rendered on a server at a path. */
export const serve = (app, path, html) =>
  app.ask((req, res) => {
    if (req.url !== path) return false;
    res.setHeader("content-type", "text/html; charset=utf-8");
    res.end(
      `<!doctype html><meta charset="utf-8"><title>rendered</title><div id="root">${html}</div><script type="module" src="/assets/page.js"></script>`,
    );
    return true;
  });
