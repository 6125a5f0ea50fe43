import { brotliCompressSync } from "node:zlib";

// What a user does on a project's page.

const limit = 30_000;

/**
 * Opens the page, signs in at the provider to which it leads, and comes back: the page shows who is there and what the API says.
 * An error on the page's console, or one that nobody caught, is a failure. Gives the bytes of the page's scripts (and wasm), brotli.
 */
export async function visit(browser, url) {
  const context = await browser.newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(limit);
  const errors = [];
  page.on("pageerror", (error) => errors.push(`uncaught: ${error}`));
  page.on("console", (message) => {
    const from = message.location().url;
    if (message.type() === "error")
      errors.push(`console: ${message.text()}${from && ` (${from})`}`);
  });
  try {
    await page.goto(url);
    const user = page.getByRole("button", { name: /^Alice/ });
    await step("it did not lead to the provider", () => user.waitFor());
    await step("the provider did not lead back", async () => {
      await user.click();
      await page.waitForURL((at) => at.origin === new URL(url).origin);
    });
    for (const [id, text] of [
      ["user", "Alice Liddell"],
      ["api", "Hello, Alice Liddell."],
    ])
      await step(`#${id} does not say "${text}"`, () =>
        page.locator(`#${id}`).getByText(text, { exact: true }).waitFor(),
      );
    await step("the response stays in the address bar", () =>
      page.waitForURL(url),
    );
    if (errors.length > 0) throw new Error("the page had an error");
    return await loaded(page, url);
  } catch (error) {
    const text = await page
      .innerText("body", { timeout: 1000 })
      .catch(() => "");
    error.output = [
      ...errors,
      `at ${page.url()}`,
      `the page: ${text.trim().slice(0, 500)}`,
    ].join("\n");
    throw error;
  } finally {
    await context.close();
  }
}

async function step(failure, work) {
  try {
    await work();
  } catch (error) {
    throw new Error(failure, { cause: error });
  }
}

/** The bytes of the scripts that the page has loaded from its own origin, and of the wasm if it came as a file. */
async function loaded(page, url) {
  const names = await page.evaluate(() =>
    performance.getEntriesByType("resource").map(({ name }) => name),
  );
  const own = names.filter((name) => name.startsWith(url));
  const sizes = await Promise.all([...new Set(own)].map(size));
  return sizes.reduce((sum, each) => sum + each, 0);
}

async function size(name) {
  const response = await fetch(name);
  const type = response.headers.get("content-type") ?? "";
  const body = Buffer.from(await response.arrayBuffer());
  if (!response.ok || !/javascript|wasm/.test(type)) return 0;
  return brotliCompressSync(body).length;
}
