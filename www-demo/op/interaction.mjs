import { errorPage, loginPage, pagePolicy } from "./pages.mjs";
import { checkPassword } from "./users.mjs";

/** The provider's own pages between the authorization request and its answer. */
export async function handleInteraction({ req, res, provider, origins }) {
  const send = (status, html) => {
    res.statusCode = status;
    res.setHeader("content-type", "text/html; charset=utf-8");
    res.setHeader("cache-control", "no-store");
    res.setHeader("content-security-policy", pagePolicy(origins));
    res.end(html);
  };

  let interaction;
  try {
    interaction = await provider.interactionDetails(req, res);
  } catch (error) {
    return send(400, errorPage(error));
  }

  if (interaction.prompt.name === "consent") {
    return finish(await consent(provider, interaction), true);
  }
  const action = new URL(req.url, provider.issuer).pathname.split("/")[3];
  if (req.method !== "POST") return send(200, loginPage(interaction));
  if (action === "cancel") {
    return finish({
      error: "access_denied",
      error_description: "The user cancelled the sign-in.",
    });
  }

  const form = new URLSearchParams(await readBody(req));
  const login = form.get("login") ?? "";
  const user = checkPassword(login, form.get("password") ?? "");
  if (!user) {
    return send(401, loginPage(interaction, { login, failed: true }));
  }
  return finish({ login: { accountId: user.claims.sub } });

  function finish(result, mergeWithLastSubmission = false) {
    return provider.interactionFinished(req, res, result, {
      mergeWithLastSubmission,
    });
  }
}

// A grant per sign-in, never the one before: what ends one family of refresh
// tokens (a reuse, a logout) then leaves the user's other sign-ins alone.
async function consent(provider, { session, params }) {
  const grant = new provider.Grant({
    accountId: session.accountId,
    clientId: params.client_id,
  });
  grant.addOIDCScope(params.scope);
  for (const resource of [params.resource ?? []].flat()) {
    grant.addResourceScope(resource, params.scope);
  }
  return { consent: { grantId: await grant.save() } };
}

async function readBody(req) {
  let body = "";
  for await (const chunk of req) {
    body += chunk;
    if (body.length > 10_000) throw new Error("the form is too large");
  }
  return body;
}
