import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { environment, run } from "./command.mjs";

/** What each engine needs: the names of its programs, and the Debian packages that have them. */
const engines = {
  chromium: {
    browser: ["chromium", "chromium-browser", "google-chrome"],
    driver: ["chromedriver"],
    packages: ["chromium", "chromium-driver"],
  },
  firefox: {
    browser: ["firefox-esr", "firefox"],
    driver: ["geckodriver"],
    packages: ["firefox-esr"],
    driverFromCargo: true,
  },
  webkit: {
    browser: ["WebKitWebDriver"],
    driver: ["WebKitWebDriver"],
    display: ["xvfb-run"],
    packages: ["webkit2gtk-driver", "xvfb", "dbus-x11"],
  },
};

/** The programs of an engine as found on this machine, `undefined` where one is missing. */
export function findEngine(name) {
  const { browser, driver, display } = engines[name];
  return {
    browser: onPath(browser),
    driver: onPath(driver),
    display: display && onPath(display),
  };
}

/** Why an engine cannot run here, as one sentence; `undefined` when it can. */
export function missing(name) {
  const { browser, driver, display, packages, driverFromCargo } = engines[name];
  const programs = [browser, driverFromCargo ? undefined : driver, display];
  const absent = programs.filter((names) => names && !onPath(names));
  if (absent.length === 0) return undefined;
  const list = [...new Set(absent.map(([first]) => first))].join(" and ");
  return `install ${list} (Debian: apt-get install ${packages.join(" ")})`;
}

/** Installs the engines that are missing; where that is not possible it says what to do, and their tests do not run. */
export function browsers(names) {
  const absent = () => names.filter((name) => missing(name));
  return {
    name: `browsers (${names.join(", ")})`,
    hint: "by apt-get, about 1 min",
    needed: async () => absent().length > 0,
    summary: () => (absent().length > 0 ? "not complete" : undefined),
    async run(say) {
      if (!isDebian() || process.getuid?.() !== 0) {
        for (const name of absent()) console.log(`\n${name}: ${missing(name)}`);
        return;
      }
      const packages = absent().flatMap((name) => engines[name].packages);
      const env = { DEBIAN_FRONTEND: "noninteractive" };
      const install = ["install", "-y", "--no-install-recommends"];
      try {
        await run("apt-get", ["update"], { env, onLine: say });
        await run("apt-get", [...install, ...packages], { env, onLine: say });
      } catch (error) {
        console.log(`\n${error.message}`);
      }
    },
  };
}

function isDebian() {
  const file = "/etc/os-release";
  return existsSync(file) && /^ID=debian$/m.test(readFileSync(file, "utf8"));
}

function onPath(names) {
  for (const folder of environment().PATH.split(delimiter))
    for (const name of names) {
      const path = join(folder, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // Not here.
      }
    }
  return undefined;
}
