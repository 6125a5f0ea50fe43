// Tabs whose process dies, in Chromium: Firefox's driver has no such command.

/** Kills the process of a page; gives the tab, which can be reloaded, as its user would. */
export async function crash(context, page) {
  const session = await context.newCDPSession(page);
  await session.send("Page.enable");
  await kill(page, session);
  return {
    reload: () => reload(session),
    close: () => session.send("Page.close").catch(() => {}),
  };
}

/** The session is opened before, where the page will be too busy to answer. */
export async function kill(page, session) {
  const crashed = new Promise((resolve) => page.once("crash", resolve));
  // Its answer comes only when the page is there again, if at all.
  session.send("Page.crash").catch(() => {});
  await crashed;
}

/** Reloads it; Playwright has given the page up, so this gives as much of one as the helpers need. */
export async function reload(session) {
  const loaded = new Promise((resolve) =>
    session.once("Page.loadEventFired", resolve),
  );
  await session.send("Page.reload");
  await loaded;
  return pageOver(session);
}

const pageOver = (session) => {
  const evaluate = async (work, arg) => {
    const { result, exceptionDetails } = await session.send(
      "Runtime.evaluate",
      {
        expression: `(${work})(${JSON.stringify(arg)})`,
        awaitPromise: true,
        returnByValue: true,
      },
    );
    if (exceptionDetails)
      throw new Error(exceptionDetails.exception.description);
    return result.value;
  };
  return {
    evaluate,
    async waitForFunction(test, arg) {
      while (!(await evaluate(test, arg)))
        await new Promise((resolve) => setTimeout(resolve, 10));
    },
  };
};
