import { users } from "./users.mjs";

/**
 * A browser holds `form-action` against every redirect that follows a form,
 * so the applications' origins must be named beside our own.
 */
export function pagePolicy(origins) {
  return [
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "img-src data:",
    `form-action ${["'self'", ...origins].join(" ")}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}

const scopeWords = {
  openid: "who you are",
  profile: "your name",
  email: "your e-mail address",
};

export function loginPage({ uid, params }, { login, failed = false } = {}) {
  const action = `/interaction/${encodeURIComponent(uid)}`;
  const scopes = (params.scope ?? "").split(" ");
  const learns = scopes.map((scope) => scopeWords[scope]).filter(Boolean);
  const stays = scopes.includes("offline_access");
  return page(
    "Sign in",
    `<h1>Sign in</h1>
    <p class="lead">to continue to <strong>${escape(params.client_id)}</strong></p>
    ${failed ? '<p class="alert" role="alert">That user name and password do not belong together.</p>' : ""}
    <form method="post" action="${action}/login">
      <label>User name
        <input name="login" autocomplete="username" autocapitalize="none" spellcheck="false" required
          value="${escape(login ?? params.login_hint ?? "")}"${failed ? "" : " autofocus"} />
      </label>
      <label>Password
        <input name="password" type="password" autocomplete="current-password" required${failed ? " autofocus" : ""} />
      </label>
      <div class="row">
        <button class="button primary">Sign in</button>
        <button class="button" formaction="${action}/cancel" formnovalidate>Cancel</button>
      </div>
    </form>
    <section class="users" aria-labelledby="users">
      <h2 id="users">Or come in as one of these</h2>
      ${users.map((user) => userForm(user, action)).join("\n")}
    </section>`,
    `The application will learn ${list(learns)}${stays ? ", and may keep you signed in" : ""}.
     This provider runs on your own machine and forgets everything when it stops.`,
  );
}

function userForm({ login, password, claims }, action) {
  return `<form method="post" action="${action}/login">
      <input type="hidden" name="login" value="${escape(login)}" />
      <input type="hidden" name="password" value="${escape(password)}" />
      <button class="user">${escape(claims.name)} <code>${escape(login)} / ${escape(password)}</code></button>
    </form>`;
}

/** `form` is the provider's own form `op.logoutForm`, with its token against forgery. */
export function logoutPage(form) {
  return page(
    "Signing out",
    `<h1>Signing you out</h1>
    <p class="lead">You will be back at the application in a moment.</p>
    ${form}
    <p><button class="button" type="submit" form="op.logoutForm" name="logout" value="yes">Continue</button></p>
    <script src="/assets/logout.js" defer></script>`,
  );
}

export function signedOutPage() {
  return page(
    "Signed out",
    `<h1>You are signed out</h1>
    <p class="lead">You can close this page.</p>`,
  );
}

export function errorPage({ error = "invalid_request", error_description }) {
  return page(
    "Sign-in failed",
    `<h1>This request cannot go on</h1>
    <p class="lead">Go back to the application and start again there.</p>
    <dl class="details">
      <div><dt>error</dt><dd><code>${escape(error)}</code></dd></div>
      <div><dt>error_description</dt><dd>${escape(error_description ?? "")}</dd></div>
    </dl>`,
  );
}

function page(title, content, note = "") {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${escape(title)} · local provider</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="/assets/tokens.css" />
    <link rel="stylesheet" href="/assets/op.css" />
  </head>
  <body>
    <main>
      <p class="brand">
        <svg class="mark" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" aria-hidden="true">
          <rect x="4" y="10.5" width="16" height="10" rx="2.5" /><path d="M8 10.5V7.5a4 4 0 0 1 8 0v3" />
        </svg>
        Local OpenID provider
      </p>
      <div class="card">
        ${content}
      </div>
      ${note ? `<p class="note">${note}</p>` : ""}
    </main>
  </body>
</html>
`;
}

function list(words) {
  if (words.length < 2) return words[0] ?? "that you signed in";
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

function escape(text) {
  return String(text).replace(
    /[&<>"']/g,
    (character) => `&#${character.charCodeAt(0)};`,
  );
}
