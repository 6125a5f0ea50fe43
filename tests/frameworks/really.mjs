// A sign-in at the real provider, with the buttons of its own page.

/** Opens a guarded page, and comes back from the provider as this user. */
export async function signInReallyFrom(page, app, path, user = "alice") {
  await page.goto(app.url + path);
  await page.waitForURL(/\/interaction\//);
  await page.click(`button.user:has-text("${user}")`);
  await page.waitForURL((url) => url.origin === app.url);
}
