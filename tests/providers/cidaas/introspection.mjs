// cidaas' introspection (RFC 7662), for a client with a secret, or with a good access token.

import { answer, formOrJson, Refusal, seconds } from "../kernel/server.mjs";

export const introspect = (req, res, { server }) =>
  answer(res, server, async () => {
    const fields = await formOrJson(req);
    authenticate(req, fields, server.grants);
    const token = fields.get("token");
    if (token === null) throw new Refusal("invalid_request");
    return describe(token, server.grants.accessTokens.get(token));
  });

function authenticate(req, fields, grants) {
  if (!/^Bearer /i.test(req.headers.authorization ?? "")) {
    const { client_secret } = grants.clientOf(req, fields);
    if (client_secret === undefined) throw new Refusal("client_authentication");
    return;
  }
  try {
    grants.bearer(req);
  } catch {
    throw new Refusal("introspection_token");
  }
}

function describe(token, held) {
  if (!held || held.exp <= seconds())
    return { active: false, token_type: "Bearer" };
  const payload = Buffer.from(token.split(".")[1], "base64url");
  const { aud, exp, iat, iss, jti, roles, scopes, sub } = JSON.parse(payload);
  return {
    ...{ active: true, token_type: "Bearer" },
    ...{ aud, exp, iat, iss, jti, roles, scopes, sub },
    scope: scopes.join(" "),
  };
}
