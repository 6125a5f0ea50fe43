// WebKitGTK, driven by its own WebDriver.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { Builder, Capabilities } from "selenium-webdriver";
import { findEngine } from "../../scripts/browsers.mjs";

/** How long anything may take, in milliseconds. */
export const WAIT = 15_000;

/** Starts one: `driver`, and `close`. */
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
    async close() {
      await driver.quit();
      running.kill();
    },
  };
}

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
