// Auth0's two ways to log out: `/v2/logout`, and `/oidc/logout`, which is RP-Initiated Logout.

import { errorPage, signedOutPage } from "../../../www-demo/op/pages.mjs";
import { claimsOfHint } from "../kernel/hints.mjs";
import { form, page, redirect } from "../kernel/server.mjs";

const fail = (res, error_description) =>
  page(res, 400, errorPage({ error: "invalid_request", error_description }));

export async function logout(req, res, { url, server }) {
  if (url.pathname === "/oidc/logout") return oidc(req, res, url, server);
  const { searchParams: params } = url;
  server.authorization.signOut(req);
  return leave(res, server, {
    client: server.clients.get(params.get("client_id")),
    to: params.get("returnTo"),
  });
}

async function oidc(req, res, { searchParams }, server) {
  const isPosted = req.method === "POST";
  const params = isPosted ? await form(req) : searchParams;
  const hint = params.get("id_token_hint");
  const claims = await claimsOfHint(server, hint);
  if (hint !== null && !claims) return fail(res, "id_token_hint is invalid");
  const { authorization, settings } = server;
  const here = authorization.sessionOf(req)?.sid;
  const sid = params.get("logout_hint") ?? claims?.sid;
  const clientId = params.get("client_id") ?? claims?.aud;
  if (claims && (claims.sid !== sid || claims.aud !== clientId))
    return fail(res, "the hints do not belong together");
  const isMeant = here === undefined || sid === here;
  const isConfirmed = isPosted && params.get("confirmed") === "yes";
  if (settings.logoutPrompt && !isMeant && !isConfirmed)
    return page(res, 200, prompt(params), server.origins);
  authorization.signOut(req);
  return leave(res, server, {
    client: server.clients.get(clientId),
    to: params.get("post_logout_redirect_uri"),
    state: params.get("state"),
  });
}

/** To where it is allowed; for a client that names no place, to its first. */
function leave(res, { settings }, { client, to, state = null }) {
  const allowed = client
    ? (client.post_logout_redirect_uris ?? [])
    : settings.allowedLogoutUrls;
  const place = to ?? (client ? allowed[0] : undefined);
  if (place === undefined) return page(res, 200, signedOutPage());
  if (!allowed.includes(place))
    return fail(res, "the URL is not an Allowed Logout URL");
  const back = new URL(place);
  if (state !== null) back.searchParams.set("state", state);
  return redirect(res, back.href);
}

const escape = (text) =>
  text.replace(/[&<>"']/g, (one) => `&#${one.charCodeAt(0)};`);

/** Asks whether that was meant. */
function prompt(params) {
  const fields = [...params, ["confirmed", "yes"]].map(
    ([name, value]) =>
      `<input type="hidden" name="${escape(name)}" value="${escape(value)}" />`,
  );
  return `<!doctype html><title>Log out?</title><h1>Do you want to log out?</h1>
<form method="post" action="/oidc/logout">${fields.join("")}<button>Yes</button></form>`;
}
