import { defineConfig } from "@playwright/test";
import { findEngine } from "./scripts/browsers.mjs";

/**
 * Specs of what no engine can do otherwise: checks of options and calls, counts of requests and crossings, which calls
 * go to which endpoint, and what a provider answers. They run in Chromium alone. All others run in Firefox, too:
 * whatever touches storage, locks, channels, crypto, streams, wasm, navigation or policies. What the systems of
 * `providers` do in Firefox, demo.spec.mjs shows.
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

/**
 * The adapters for frameworks speak to the package and to their framework, and to no browser: of each Firefox runs the
 * sign-in at the real provider, from its guard to the page that shows the user, and what the Back button brings back.
 */
const oneWay =
  /\b(angular|react|svelte|vue)\.spec\.mjs\b(?!.*(real provider|real kind|Back button))/;

// The browsers of the system: Playwright downloads nothing.
export default defineConfig({
  testDir: "tests/e2e",
  outputDir: "test-results",
  // For a machine with more to do than this.
  timeout: 60_000,
  expect: { timeout: 15_000 },
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
      grepInvert: oneWay,
      use: {
        browserName: "firefox",
        // WebDriver BiDi; the default protocol needs a patched Firefox.
        channel: "moz-firefox",
        launchOptions: { executablePath: findEngine("firefox").browser },
      },
    },
  ],
});
