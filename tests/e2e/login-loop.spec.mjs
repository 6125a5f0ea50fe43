// A page that logs in on every load, without a click, where nothing comes of it: it leaves three times, and then says why.

import { optionsFor } from "../support/driver.mjs";
import { expect, quick, test } from "../support/fixtures.mjs";

test.use(quick);

/** In Firefox the driver looks into every page that it loads, and each look counts as the user's doing. */
test.beforeEach(async ({ page, browserName }, { tags }) => {
  if (browserName !== "firefox" || tags.includes("@clicks")) return;
  await page.addInitScript(() => {
    Object.defineProperty(navigator, "userActivation", {
      value: { isActive: false, hasBeenActive: false },
    });
  });
});

/**
 * From now on every page of the application does what such applications do: makes the client, and logs in if nobody is.
 * `onEntry` runs before anything else of the page does, `onSignedIn` where somebody is signed in: it says whether to
 * log in all the same. The page tells by itself when it stays: whatever a driver runs in it counts as the user's doing.
 */
async function circle(page, app, { options, login, onEntry, onSignedIn }) {
  const run = (code) => `(${code ?? "() => {}"})`;
  await page.addInitScript(`if (location.origin === ${JSON.stringify(app.url)}) {
    ${run(onEntry)}();
    addEventListener("load", async () => {
      start(${JSON.stringify(options)});
      const { status, error } = await auth.ready;
      if (status === "signedIn" && !(await ${run(onSignedIn)}())) return;
      const stopped = await attempt(() => auth.login(${JSON.stringify(login)}));
      const told = JSON.stringify({ ...stopped, last: plain(error) });
      await fetch("/api/stopped?" + new URLSearchParams({ told }));
    });
  }`);
  await page.goto(app.url);
  const told = () =>
    app.requests.find(({ path }) => path === "/api/stopped")?.url;
  await expect.poll(told, { timeout: 20_000 }).toBeTruthy();
  return JSON.parse(new URL(told(), app.url).searchParams.get("told"));
}

/** How often a browser was sent to a scripted provider. */
const departures = ({ requests }) =>
  requests.filter(({ endpoint }) => endpoint === "authorization").length;

/** What a loop is stopped with. */
const stopped = (likely) => ({
  error: {
    name: "AuthError",
    code: "login_loop",
    details: { logins: 3, seconds: expect.any(Number), likely },
    retryable: false,
    message: "one login follows the other without the user's doing",
    hint: expect.stringContaining(`${likely}: `),
  },
});

test.describe("a page that logs in on every load leaves three times, and names", () => {
  for (const [name, hours] of [
    ["ahead", 24],
    ["behind", -24],
  ])
    test(`a clock that is a day ${name}`, async ({ page, app, scripted }) => {
      await page.clock.install({ time: Date.now() + hours * 3600_000 });
      const options = optionsFor(app, scripted);
      const outcome = await circle(page, app, { options });
      expect(outcome).toMatchObject(stopped("clock"));
      expect(departures(scripted)).toBe(3);
      const { code, details } = outcome.last;
      expect(code).toBe("invalid_id_token");
      expect(details.skewSeconds / 3600).toBeCloseTo(hours, 0);
    });

  test("a storage that loses the pending login", async ({
    page,
    app,
    scripted,
  }) => {
    const outcome = await circle(page, app, {
      options: optionsFor(app, scripted),
      onEntry: () => {
        for (const key of Object.keys(sessionStorage))
          if (key.startsWith("countersign:login:"))
            sessionStorage.removeItem(key);
      },
    });
    expect(outcome).toMatchObject(stopped("storage"));
    expect(outcome.last.code).toBe("stale_callback");
    expect(departures(scripted)).toBe(3);
  });

  test("a session that does not outlive the page", async ({
    page,
    app,
    scripted,
  }) => {
    const options = optionsFor(app, scripted, { storage: "memory" });
    const outcome = await circle(page, app, {
      options,
      onSignedIn: () => void location.replace("/"),
    });
    expect(outcome).toMatchObject(stopped("storage"));
    expect(departures(scripted)).toBe(3);
  });

  test("a redirect URI at which nobody handles the callback", async ({
    page,
    app,
    scripted,
  }) => {
    const outcome = await circle(page, app, {
      options: optionsFor(app, scripted),
      // Such as a router that sends what it does not know home.
      onEntry: () => history.replaceState(null, "", "/"),
    });
    expect(outcome).toMatchObject(stopped("redirect_uri"));
    expect(departures(scripted)).toBe(3);
  });

  test("T39: a silent login that has no cookie to go by", async ({
    page,
    app,
    op,
  }) => {
    const outcome = await circle(page, app, {
      options: optionsFor(app, op),
      login: { prompt: "none" },
    });
    expect(outcome).toMatchObject(stopped("cookies"));
    expect(outcome.last).toMatchObject({
      code: "authorization_error",
      details: { error: "login_required" },
    });
    expect(op.control.counters.token ?? 0).toBe(0);
  });

  for (const [name, query] of [
    ["whose challenge cannot be read", ""],
    ["that names the token", "?challenge=Bearer+error%3Dinvalid_token"],
    ["that only says Bearer", "?challenge=Bearer+realm%3Dapi"],
  ])
    test(`an API ${name}`, async ({ page, app, scripted }) => {
      const outcome = await circle(page, app, {
        options: optionsFor(app, scripted),
        onSignedIn: `async () => {
          const { status } = await auth.fetch("/api/refuse-all${query}");
          return status === 401;
        }`,
      });
      expect(outcome).toMatchObject(stopped("api_rejects_token"));
      expect(departures(scripted)).toBe(3);
    });

  test("nothing where it logs in over a session that is good", async ({
    page,
    app,
    scripted,
  }) => {
    const outcome = await circle(page, app, {
      options: optionsFor(app, scripted),
      onSignedIn: () => true,
    });
    expect(outcome).toMatchObject(stopped("unknown"));
    expect(departures(scripted)).toBe(3);
  });
});

test.describe("a user who clicks", { tag: "@clicks" }, () => {
  /** From now on every page of the application has a button, which logs in. */
  async function withButton(page, app, options) {
    await page.addInitScript(
      ([origin, options]) => {
        if (location.origin !== origin) return;
        addEventListener("load", async () => {
          start(options);
          await auth.ready;
          const button = document.createElement("button");
          button.textContent = "log in";
          button.onclick = async () => {
            window.stopped = await attempt(() => auth.login());
          };
          document.body.append(button);
        });
      },
      [app.url, options],
    );
    await page.goto(app.url);
  }

  const departure = async (page, scripted) => {
    const before = departures(scripted);
    await page.click("button");
    await expect.poll(() => departures(scripted)).toBe(before + 1);
    await page.waitForSelector("button");
  };

  test("leaves every time, also after a loop was stopped", async ({
    page,
    app,
    scripted,
  }) => {
    await withButton(page, app, optionsFor(app, scripted));
    for (let clicks = 0; clicks < 5; clicks += 1)
      await departure(page, scripted);
    // As if three others had left just now.
    const key = `countersign:loop:${scripted.issuer} spa`;
    const now = Date.now();
    const record = { v: 1, left_at: [now, now, now], likely: "unknown" };
    await page.evaluate(
      ([key, record]) => sessionStorage.setItem(key, JSON.stringify(record)),
      [key, record],
    );
    await departure(page, scripted);
    expect(
      await page.evaluate((key) => sessionStorage.getItem(key), key),
    ).toBeNull();
  });

  test("is not told from a script where the browser cannot: the fourth login waits until the first is a minute old", async ({
    page,
    app,
    scripted,
  }) => {
    await page.addInitScript(() => {
      delete Navigator.prototype.userActivation;
    });
    await withButton(page, app, optionsFor(app, scripted));
    for (let clicks = 0; clicks < 3; clicks += 1)
      await departure(page, scripted);
    await page.click("button");
    await page.waitForFunction(() => "stopped" in window);
    expect(await page.evaluate(() => window.stopped)).toMatchObject(
      stopped("unknown"),
    );
    await page.evaluate((key) => {
      const record = JSON.parse(sessionStorage.getItem(key));
      record.left_at[0] -= 60_000;
      sessionStorage.setItem(key, JSON.stringify(record));
    }, `countersign:loop:${scripted.issuer} spa`);
    await departure(page, scripted);
  });
});

test("a page that asks for its login twice leaves once (StrictMode)", async ({
  page,
  app,
  scripted,
}) => {
  const options = optionsFor(app, scripted);
  await page.addInitScript(
    ([origin, options]) => {
      if (location.origin !== origin) return;
      addEventListener("load", async () => {
        start(options);
        if ((await auth.ready).status === "signedIn") return;
        void attempt(() => auth.login());
        void attempt(() => auth.login());
      });
    },
    [app.url, options],
  );
  // Each time the session is forgotten, as a test of the application's own would.
  for (let times = 0; times < 3; times += 1) {
    await page.goto(app.url);
    await page.waitForFunction(() => window.auth?.state.status === "signedIn");
    const { left_at } = await page.evaluate((options) => {
      sessionStorage.removeItem(
        `countersign:session:${options.issuer} ${options.clientId}`,
      );
      return JSON.parse(
        sessionStorage.getItem(
          `countersign:loop:${options.issuer} ${options.clientId}`,
        ),
      );
    }, options);
    expect(left_at.length).toBe(times + 1);
  }
});
