// WebKitGTK, driven by its own WebDriver.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { Builder, Capabilities } from "selenium-webdriver";
import { findEngine } from "../../scripts/browsers.mjs";

/** How long anything may take, in milliseconds. */
export const WAIT = 15_000;

/** Starts one: `driver`, `page` with as much of Playwright's as the shared helpers need, and `close`. */
export async function startWebkit(capabilities = {}) {
  const port = await freePort();
  const { driver: program } = findEngine("webkit");
  const running = spawn(program, [`--port=${port}`], { stdio: "ignore" });
  await answering(`http://127.0.0.1:${port}/status`);
  const driver = await new Builder()
    .usingServer(`http://127.0.0.1:${port}`)
    .withCapabilities(
      new Capabilities({ browserName: "MiniBrowser", ...capabilities }),
    )
    .build();
  await driver.manage().setTimeouts({ script: WAIT, pageLoad: WAIT });
  return {
    driver,
    page: pageOf(driver),
    async close() {
      await driver.quit();
      running.kill();
    },
  };
}

const pageOf = (driver) => ({
  goto: (url) => driver.get(url),
  waitForFunction: (test) =>
    driver.wait(() => driver.executeScript(`return (${test})()`), WAIT),
  async evaluate(work, arg = null) {
    const outcome = await driver.executeAsyncScript(
      `const [arg, done] = arguments;
       new Promise((resolve) => resolve((${work})(arg))).then(
         (value) => done({ value }),
         (error) => done({ error: String(error) }),
       );`,
      arg,
    );
    if (outcome.error) throw new Error(outcome.error);
    return outcome.value;
  },
});

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

/** Waits until the driver listens. */
async function answering(url) {
  const end = Date.now() + WAIT;
  for (;;) {
    try {
      return await fetch(url);
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}
