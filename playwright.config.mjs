import { defineConfig } from "@playwright/test";
import { findEngine } from "./scripts/browsers.mjs";

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
      use: {
        browserName: "firefox",
        // WebDriver BiDi; the default protocol needs a patched Firefox.
        channel: "moz-firefox",
        launchOptions: { executablePath: findEngine("firefox").browser },
      },
    },
  ],
});
