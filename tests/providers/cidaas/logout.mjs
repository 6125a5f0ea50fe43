// cidaas' end of a session.

import { errorPage, signedOutPage } from "../../../www-demo/op/pages.mjs";
import { claimsOfHint } from "../kernel/hints.mjs";
import { form, page, redirect } from "../kernel/server.mjs";

/** GET and POST. Without a hint the redirect URI is ignored, and the login page comes. */
export async function logout(req, res, { url: { searchParams }, server }) {
  const params = req.method === "POST" ? await form(req) : searchParams;
  server.authorization.signOut(req);
  const to = params.get("post_logout_redirect_uri");
  const clientId = await clientOfHint(params, server);
  if (to === null || clientId === undefined)
    return page(res, 200, signedOutPage());
  const client = server.clients.get(clientId);
  if (!client?.post_logout_redirect_uris?.includes(to))
    return page(
      res,
      400,
      errorPage({
        error: "invalid_request",
        error_description: "invalid post_logout_redirect_uri",
      }),
    );
  const back = new URL(to);
  const state = params.get("state");
  if (state !== null) back.searchParams.set("state", state);
  return redirect(res, back.href);
}

/** Who logs out, by the hint: an access token, or an ID Token of ours, expired or not. */
async function clientOfHint(params, server) {
  const accessToken = params.get("access_token_hint");
  if (accessToken !== null)
    return server.grants.accessTokens.get(accessToken)?.client_id;
  return (await claimsOfHint(server, params.get("id_token_hint")))?.aud;
}
