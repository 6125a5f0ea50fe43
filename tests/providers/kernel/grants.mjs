// Codes, access tokens and families of refresh tokens (RFC 6749 §4.1.3, §5, §6; RFC 7636 §4.6; RFC 9700 §4.14.2).

import { isSame, random, Refusal, s256, seconds } from "./server.mjs";

export function createGrants(server) {
  const { character, clients, settings } = server;
  const codes = new Map();
  const accessTokens = new Map();
  const refreshTokens = new Map();
  /** Whether the refresh token lives as long as the session at the server. */
  const isBound = (grant) => character.isBound?.(grant) ?? false;

  function newCode(grant) {
    const code = character.newCode?.() ?? random();
    codes.set(code, { ...grant, until: seconds() + 60, used: false });
    return code;
  }

  /** Who asks: a public client by its name, one with a secret by that. */
  function clientOf(req, fields) {
    const basic = /^Basic (.+)$/i.exec(req.headers.authorization ?? "")?.[1];
    let [id, secret] = [fields.get("client_id"), fields.get("client_secret")];
    if (basic !== undefined) {
      const [name, password] = Buffer.from(basic, "base64")
        .toString()
        .split(":")
        .map(decodeURIComponent);
      if (id !== null && id !== name) throw new Refusal("unknown_client");
      [id, secret] = [name, password ?? ""];
    }
    const client = clients.get(id);
    if (!client) throw new Refusal("unknown_client");
    if (client.client_secret !== undefined) {
      if (secret === null || !isSame(secret, client.client_secret))
        throw new Refusal("client_authentication");
    } else if (secret !== null) throw new Refusal("client_authentication");
    return client;
  }

  /** `lifetimes` are those of the tokens, where they are not the usual ones. */
  async function token(req, fields, lifetimes = settings) {
    const client = clientOf(req, fields);
    settings.beforeToken?.(fields);
    const type = fields.get("grant_type");
    if (client.grant_types?.includes(type) === false)
      throw new Refusal("unsupported_grant_type");
    if (type === "authorization_code") return byCode(fields, client, lifetimes);
    if (type === "refresh_token")
      return byRefreshToken(fields, client, lifetimes);
    const other = character.grantTypes?.[type];
    if (other) return other(fields, client);
    throw new Refusal("unsupported_grant_type");
  }

  async function byCode(fields, client, lifetimes) {
    const grant = codes.get(fields.get("code"));
    if (!grant || grant.client_id !== client.client_id)
      throw new Refusal("code");
    if (grant.used) {
      // RFC 6749 §4.1.2: what it gave is taken back.
      revokeFamily(grant.family);
      throw new Refusal("code");
    }
    grant.used = true;
    if (grant.until < seconds()) throw new Refusal("code");
    if (fields.get("redirect_uri") !== grant.redirect_uri)
      throw new Refusal("code_redirect_uri");
    if (grant.challenge !== null) {
      const verifier = fields.get("code_verifier") ?? "";
      const isWellFormed = /^[\w\-.~]{43,128}$/.test(verifier);
      const challenge =
        grant.challengeMethod === "plain" ? verifier : s256(verifier);
      if (!isWellFormed || !isSame(challenge, grant.challenge))
        throw new Refusal("verifier");
    }
    grant.family = random();
    return issue(grant, { lifetimes, refreshed: false });
  }

  async function byRefreshToken(fields, client, lifetimes) {
    const value = fields.get("refresh_token");
    if (value === null) throw new Refusal("refresh_token_missing");
    const held = refreshTokens.get(value);
    if (!held || held.grant.client_id !== client.client_id)
      throw new Refusal("refresh_token");
    if (isBound(held.grant) && !server.authorization.isLive(held.grant.sid))
      throw new Refusal("refresh_token");
    if (held.until <= seconds()) throw new Refusal("refresh_token_expired");
    if (held.rotatedAt !== undefined) {
      const isForgiven =
        held.isNewest && Date.now() - held.rotatedAt <= settings.leeway * 1000;
      if (!isForgiven) {
        revokeFamily(held.grant.family);
        throw new Refusal("refresh_token");
      }
    }
    const scope = fields.get("scope");
    if (scope !== null && !isSubset(scope, held.grant.scope))
      throw new Refusal("scope");
    const grant = scope === null ? held.grant : { ...held.grant, scope };
    return issue(grant, { lifetimes, refreshed: true, held });
  }

  /** Gives tokens out, in the form of the character. */
  async function issue(grant, { lifetimes, refreshed, held }) {
    const { accessTokenTtl: expires_in, refreshTokenTtl } = lifetimes;
    const now = seconds();
    const exp = now + expires_in;
    const access_token = await character.accessToken(grant, now, exp);
    const { client_id, sub, scope, family, user } = grant;
    const until = { iat: now, exp };
    const entry = { client_id, sub: user, subject: sub, scope, family, grant };
    accessTokens.set(access_token, { ...entry, ...until });
    const refresh_token = nextRefreshToken(grant, refreshTokenTtl, held);
    const scopes = scope.split(" ");
    const id_token = scopes.includes("openid")
      ? await server.sign(await character.idToken(grant, access_token, now))
      : undefined;
    return character.tokens({
      ...{ access_token, refresh_token, id_token, expires_in },
      ...{ grant, refreshed },
    });
  }

  /** `undefined` where none is given out. */
  function nextRefreshToken(grant, lifetime, held) {
    const rotates = settings.rotate && !isBound(held?.grant ?? grant);
    const migrates = character.migrates && held && held.rotates !== rotates;
    if (held && !rotates && !migrates) return undefined;
    if (!held && !character.isLasting(grant)) return undefined;
    if (migrates) dropAlike(held);
    else if (held) {
      // Only the newest may be forgiven a second use.
      for (const [, other] of refreshTokens)
        if (other.grant.family === held.grant.family) other.isNewest = false;
      held.rotatedAt = Date.now();
      held.isNewest = true;
    }
    const value = character.newRefreshToken?.() ?? random(36);
    // Rotation does not extend the lifetime (RFC 10017 §6.3.2.3), unless it rolls.
    const ends = isBound(grant) ? Infinity : seconds() + lifetime;
    const until = held && !settings.rolling ? held.until : ends;
    refreshTokens.set(value, { grant: held?.grant ?? grant, until, rotates });
    return value;
  }

  /** Rotation was switched: the tokens of the other kind go, for the same client, user and API. */
  function dropAlike({ rotates, grant }) {
    const isAlike = (other) =>
      other.grant.family === grant.family ||
      (!rotates &&
        ["client_id", "sub", "audience"].every(
          (name) => other.grant[name] === grant[name],
        ));
    for (const [value, other] of refreshTokens)
      if (other.rotates === rotates && isAlike(other) && !isBound(other.grant))
        refreshTokens.delete(value);
  }

  function revokeFamily(family) {
    if (family === undefined) return;
    for (const [value, { grant }] of refreshTokens)
      if (grant.family === family) refreshTokens.delete(value);
    for (const [value, one] of accessTokens)
      if (one.family === family) accessTokens.delete(value);
  }

  /** RFC 7009 §2: an unknown token is no error, another client's is left alone. */
  async function revoke(req, fields) {
    const client = clientOf(req, fields);
    const value = fields.get("token");
    if (!value) throw new Refusal("invalid_request");
    const held = refreshTokens.get(value)?.grant;
    if (held?.client_id === client.client_id) {
      revokeFamily(held.family);
      if (isBound(held)) server.authorization.end(held.sid);
    }
    const { revokesAccessTokens = true } = character;
    if (
      revokesAccessTokens &&
      accessTokens.get(value)?.client_id === client.client_id
    )
      accessTokens.delete(value);
  }

  /** The grant behind a bearer token. */
  function bearer(req) {
    const { authorization = "" } = req.headers;
    const value = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    const held = accessTokens.get(value);
    if (!held || held.exp <= seconds()) throw new Refusal("access_token");
    return held;
  }

  return {
    ...{ newCode, clientOf, token, revoke, bearer, accessTokens },
    /** Ends every grant, of one user or of everybody. */
    revokeAll(sub) {
      for (const [value, { grant }] of refreshTokens)
        if (sub === undefined || grant.user === sub)
          refreshTokens.delete(value);
      for (const [value, one] of accessTokens)
        if (sub === undefined || one.sub === sub) accessTokens.delete(value);
    },
  };
}

const isSubset = (part, whole) => {
  const granted = new Set(whole.split(" "));
  return part.split(" ").every((one) => granted.has(one));
};
