// The test application under a Content Security Policy.

const nonce = "bm9uY2Ugb2YgdGhlIHRlc3Q";

/** Policies under which everything works, by what is special about them. */
export const enough = (issuer) => {
  const connect = `connect-src 'self' ${issuer}`;
  const least = `script-src 'self' 'wasm-unsafe-eval'; ${connect}`;
  return {
    "the least": least,
    "nothing beside it": `default-src 'none'; ${least}`,
    "a nonce and strict-dynamic": `script-src 'nonce-${nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; ${connect}`,
    "trusted types": `${least}; require-trusted-types-for 'script'`,
  };
};

/** Policies that lack one thing. */
export const lacking = (issuer) => ({
  wasm: `script-src 'self'; connect-src 'self' ${issuer}`,
  issuer: "script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'",
});

/** Notes what a policy forbids (but for the icon that a browser asks for), and shows that the page's own scripts run. */
const watch = `
  violations = [];
  document.addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) => {
    if (!blockedURI.endsWith("/favicon.ico")) violations.push(effectiveDirective + " " + blockedURI);
  });
  document.addEventListener("click", () => (document.title = "clicked"));`;

const html = `<!doctype html><meta charset="utf-8"><title>under a policy</title>
  <script nonce="${nonce}" src="/watch.js"></script>
  <script nonce="${nonce}" type="module" src="/assets/page.js"></script>`;

/** From now on until its reset the application's pages have this policy, and `violations` of it. */
export function withPolicy(app, policy) {
  app.ask((req, res) => {
    const { pathname } = new URL(req.url, app.url);
    const body = { "/": html, "/callback": html, "/watch.js": watch }[pathname];
    if (body === undefined) return false;
    const type = body === html ? "text/html" : "text/javascript";
    res.setHeader("content-type", `${type}; charset=utf-8`);
    res.setHeader("content-security-policy", policy);
    res.end(body);
    return true;
  });
}
