// Authorization requests that cidaas keeps under a `requestId`.

import { randomUUID } from "node:crypto";
import { answer, jsonForm, Refusal } from "../kernel/server.mjs";

export function createRequests({ clients, url }) {
  const requests = new Map();
  return {
    generate: (req, res, { server }) =>
      answer(res, server, async () => {
        const params = await jsonForm(req);
        const client = clients.get(params.get("client_id"));
        if (!client?.redirect_uris.includes(params.get("redirect_uri")))
          throw new Refusal("request");
        const requestId = randomUUID();
        requests.set(requestId, params);
        const wanted = req.headers["accept-language"] ?? "*";
        const [language] = wanted.replace("*", "").split(/[,;]/);
        const view_type = params.get("view_type") ?? "login";
        return {
          success: true,
          status: 200,
          data: { groupname: "default", lang: language, view_type, requestId },
        };
      }),

    /** What is kept, with what stands in the request itself first. */
    resolve({ pathname, searchParams }) {
      const resolved = new URL(pathname, url);
      const kept = requests.get(searchParams.get("requestId")) ?? [];
      for (const [name, value] of kept)
        if (!searchParams.has(name)) resolved.searchParams.append(name, value);
      for (const [name, value] of searchParams)
        resolved.searchParams.append(name, value);
      return resolved;
    },
  };
}
