// The authorization endpoint and the login page behind it (RFC 6749 §4.1.1, §4.1.2; RFC 7636 §4.3).

import { errorPage, loginPage } from "../../../www-demo/op/pages.mjs";
import { checkPassword, findUser } from "../../../www-demo/op/users.mjs";
import { form, page, random, redirect, Refusal, seconds } from "./server.mjs";

export function createAuthorization(server) {
  const { character, clients, grants, origins, settings } = server;
  const waiting = new Map();
  /** Who is signed in at the server itself, by cookie. */
  const sessions = new Map();
  const cookie = `session_${new URL(server.url).port}`;

  const sessionOf = (req) => {
    const found = new RegExp(`${cookie}=([^;]+)`).exec(req.headers.cookie);
    return found && sessions.get(found[1]);
  };

  /** A request that cannot be answered by a redirect ends on a page (RFC 6749 §4.1.2.1). */
  function stop(res, kind) {
    const { status, error, error_description } = character.refusePage(kind);
    return page(res, status, errorPage({ error, error_description }));
  }

  function begin(req, res, params) {
    const client = clients.get(params.get("client_id"));
    if (!client) return stop(res, "unknown_client");
    // RFC 6749 §3.1.2: exactly as it is registered, to the last slash.
    const [redirectUri] = (params.get("redirect_uri") ?? "").split("#");
    if (!client.redirect_uris.includes(redirectUri))
      return stop(res, "redirect_uri");
    try {
      check(params, client);
      return proceed(req, res, params, client, redirectUri);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return back(res, params, redirectUri, { error });
    }
  }

  function check(params, client) {
    for (const name of params.keys())
      if (name !== "resource" && params.getAll(name).length > 1)
        throw refuse("invalid_request", `duplicate ${name}`);
    if (params.get("response_type") !== "code")
      throw refuse("unsupported_response_type", "only code is supported");
    // Some take more of them; countersign asks for no other.
    if (!["query", "fragment"].includes(params.get("response_mode") ?? "query"))
      throw refuse("invalid_request", "response_mode not supported");
    const challenge = params.get("code_challenge");
    if (challenge === null && !client.client_secret)
      throw refuse("invalid_request", "a public client needs a code_challenge");
    if (challenge !== null) {
      const { challengeMethods = ["S256"] } = character;
      // RFC 7636 §4.3: without a word it is plain.
      const method = params.get("code_challenge_method") ?? "plain";
      if (!challengeMethods.includes(method))
        throw refuse("invalid_request", "code_challenge_method not supported");
      if (!/^[\w\-.~]{43,128}$/.test(challenge))
        throw refuse("invalid_request", "code_challenge is malformed");
    }
    character.check?.(params, client);
  }

  function proceed(req, res, params, client, redirectUri) {
    const session = sessionOf(req);
    const prompt = params.get("prompt")?.split(" ") ?? [];
    const maxAge = params.get("max_age");
    const isFresh =
      session &&
      (maxAge === null || seconds() - session.auth_time <= Number(maxAge));
    if (isFresh && !prompt.includes("login"))
      return complete(res, params, client, redirectUri, session);
    if (prompt.includes("none")) throw refuse("login_required", "");
    const uid = random(16);
    waiting.set(uid, { params, client, redirectUri });
    return redirect(res, `/interaction/${uid}`);
  }

  /** The login page, and what comes of it. */
  async function interact(req, res, pathname) {
    const [, , uid, action] = pathname.split("/");
    const pending = waiting.get(uid);
    if (!pending) return stop(res, "stale_interaction");
    const { params, client, redirectUri } = pending;
    const plain = Object.fromEntries(params);
    const show = (status, more) =>
      page(res, status, loginPage({ uid, params: plain }, more), origins);
    if (req.method !== "POST") return show(200);
    if (action === "cancel") {
      waiting.delete(uid);
      const error = refuse("access_denied", "User did not authorize");
      return back(res, params, redirectUri, { error });
    }
    const fields = await form(req);
    const login = fields.get("login") ?? "";
    const user = checkPassword(login, fields.get("password") ?? "");
    if (!user) return show(401, { login, failed: true });
    waiting.delete(uid);
    const session = {
      sub: character.subject?.(user) ?? user.claims.sub,
      user: user.claims.sub,
      sid: random(16),
      auth_time: seconds(),
    };
    const id = random();
    sessions.set(id, session);
    res.setHeader(
      "set-cookie",
      `${cookie}=${id}; HttpOnly; SameSite=Lax; Path=/`,
    );
    try {
      return complete(res, params, client, redirectUri, session);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return back(res, params, redirectUri, { error });
    }
  }

  function complete(res, params, client, redirectUri, session) {
    character.admit?.(params, findUser(session.user), settings);
    const grant = {
      client_id: client.client_id,
      redirect_uri: redirectUri,
      challenge: params.get("code_challenge"),
      challengeMethod: params.get("code_challenge_method") ?? "plain",
      nonce: params.get("nonce"),
      scope: params.get("scope") ?? "",
      audience: params.get("audience"),
      resources: params.getAll("resource"),
      organization: params.get("organization"),
      params,
      ...session,
    };
    const finish = (res) =>
      back(res, params, redirectUri, { code: grants.newCode(grant) });
    return character.detour?.(res, { params, session, finish }) ?? finish(res);
  }

  /** Answers at the redirect URI: in the fragment where that was asked for. */
  function back(res, params, redirectUri, { code, error }) {
    const response = new URLSearchParams();
    if (code !== undefined) response.set("code", code);
    if (error) {
      response.set("error", error.kind);
      if (error.details.description)
        response.set("error_description", error.details.description);
    }
    const state = params.get("state");
    if (state !== null) response.set("state", state);
    const { iss } = character;
    if (iss !== undefined) response.set("iss", iss);
    const uri = new URL(redirectUri);
    if (params.get("response_mode") === "fragment") uri.hash = response;
    else
      for (const [name, value] of response) uri.searchParams.set(name, value);
    return redirect(res, uri.href);
  }

  /** Ends a session at the server itself. */
  function end(sid) {
    for (const [id, one] of sessions) if (one.sid === sid) sessions.delete(id);
  }

  return {
    ...{ begin, check, stop, interact, sessions, sessionOf, end },
    /** Ends that of this browser. */
    signOut: (req) => end(sessionOf(req)?.sid),
    isLive: (sid) => [...sessions.values()].some((one) => one.sid === sid),
  };
}

/** A refusal at the redirect URI, in the system's own words. */
export function refuse(error, description) {
  return new Refusal(error, { description });
}
