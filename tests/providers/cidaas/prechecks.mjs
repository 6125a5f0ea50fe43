// What cidaas wants of a user between the password and the code: consents, missing fields and the like.

import { randomUUID } from "node:crypto";
import { refuse } from "../kernel/authorization.mjs";
import { empty, json, page, redirect, seconds } from "../kernel/server.mjs";

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
const HOUR = 3600;

export function createPrechecks(server) {
  const tracks = new Map();
  const trackOf = ({ pathname }) => {
    const id = pathname.split("/").at(-1);
    const found = tracks.get(id);
    return { id, track: found?.until > seconds() ? found : undefined };
  };

  return {
    /** Leads to the page that asks, if something is to be asked. */
    detour(res, { params, session, finish }) {
      const { url, settings } = server;
      const { precheck } = settings;
      if (precheck === null) return undefined;
      if (params.get("prompt") === "none")
        throw refuse("interaction_required", precheck);
      const id = randomUUID();
      const about = {
        error: precheck,
        track_id: id,
        sub: session.sub,
        requestId: params.get("requestId") ?? randomUUID(),
        suggested_url: `${url}/precheck`,
      };
      tracks.set(id, { about, finish, until: seconds() + HOUR });
      return redirect(res, `/precheck?${new URLSearchParams(about)}`);
    },

    show(req, res, { url: { searchParams } }) {
      const id = searchParams.get("track_id");
      if (!tracks.has(id)) return page(res, 404, "<h1>Not Found</h1>");
      const form = `<form method="post" action="/login-srv/precheck/continue/${id}"><button>Accept</button></form>`;
      const html = `<!doctype html><title>One more thing</title><h1>One more thing</h1>${form}`;
      return page(res, 200, html, server.origins);
    },

    describe(req, res, { url }) {
      const { id, track } = trackOf(url);
      if (!uuid.test(id)) return empty(res, 400);
      if (!track) return empty(res, 204);
      return json(res, 200, { success: true, status: 200, data: track.about });
    },

    resume(req, res, { url }) {
      const { id, track } = trackOf(url);
      if (!track || req.method !== "POST") return empty(res, 400);
      tracks.delete(id);
      return track.finish(res);
    },
  };
}
