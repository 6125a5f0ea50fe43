// Pushed authorization requests (RFC 9126).

import { answer, form, random, Refusal, seconds } from "./server.mjs";

/** `admit(client, req)` refuses by throwing; `lifetime()` is that of a `request_uri`, in seconds. */
export function createPushed(server, { admit, lifetime }) {
  const pushed = new Map();

  /** RFC 9126 §2.1: checked as if it had come to the authorization endpoint. */
  async function take(req) {
    const fields = await form(req);
    const client = server.grants.clientOf(req, fields);
    admit(client, req);
    fields.set("client_id", client.client_id);
    fields.delete("client_secret");
    const isKnown = client.redirect_uris.includes(fields.get("redirect_uri"));
    if (fields.has("request_uri") || !isKnown)
      throw new Refusal("invalid_request");
    server.authorization.check(fields, client);
    const request_uri = `urn:ietf:params:oauth:request_uri:${random()}`;
    const expires_in = lifetime();
    pushed.set(request_uri, { fields, until: seconds() + expires_in });
    return { request_uri, expires_in };
  }

  return {
    push: (req, res) => answer(res, server, () => take(req), 201),

    /** RFC 9126 §4: each `request_uri` is for one request, of the same client. */
    authorize(req, res, { url: { searchParams: params } }) {
      const { authorization } = server;
      const uri = params.get("request_uri");
      if (uri === null) return authorization.begin(req, res, params);
      const held = pushed.get(uri);
      const isGood =
        held?.until > seconds() &&
        held.fields.get("client_id") === params.get("client_id");
      if (!isGood) return authorization.stop(res, "request_uri");
      pushed.delete(uri);
      return authorization.begin(req, res, held.fields);
    },
  };
}
