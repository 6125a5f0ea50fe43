import { defineConfig } from "@playwright/test";
import { findEngine } from "./scripts/browsers.mjs";

/**
 * Specs of what no engine can do otherwise: checks of options and calls, counts of requests and crossings, which calls
 * go to which endpoint, and what a provider answers. They run in Chromium alone. All others run in Firefox, too:
 * whatever touches storage, locks, channels, crypto, streams, wasm, navigation, policies or a framework. What the
 * systems of `providers` do in Firefox, demo.spec.mjs shows; what the adapter for React does there, react.spec.mjs.
 */
export const inChromiumAlone = [
  "apis",
  "bad-calls",
  "bad-options",
  "counts",
  "provider-ways",
  "providers",
  "react-18",
  "userinfo",
].map((name) => `${name}.spec.mjs`);

// The browsers of the system: Playwright downloads nothing.
export default defineConfig({
  testDir: "tests/e2e",
  outputDir: "test-results",
  timeout: 30_000,
  forbidOnly: Boolean(process.env.CI),
  reporter: "list",
  use: { trace: "retain-on-failure" },
  projects: [
    {
      name: "chromium",
      use: {
        browserName: "chromium",
        launchOptions: {
          executablePath: findEngine("chromium").browser,
          args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
        },
      },
    },
    {
      name: "firefox",
      testIgnore: inChromiumAlone.map((name) => `**/${name}`),
      use: {
        browserName: "firefox",
        // WebDriver BiDi; the default protocol needs a patched Firefox.
        channel: "moz-firefox",
        launchOptions: { executablePath: findEngine("firefox").browser },
      },
    },
  ],
});
