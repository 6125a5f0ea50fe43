// What a provider's books say about one client: who asked how often, and whether a lost session could have been kept.

/** The refresh requests of a client among these, with the token that each one sent. */
export function refreshesOf(client, requests) {
  return requests
    .filter(({ grantType }) => grantType === "refresh_token")
    .map((request) => ({ request, sent: new URLSearchParams(request.body) }))
    .filter(({ sent }) => sent.get("client_id") === client)
    .map(({ request, sent }) => ({
      ...request,
      token: sent.get("refresh_token"),
    }));
}

/** The refresh tokens of a client by the grant they stand for: `{ tokens, revoked }`, tokens in the order of their issue. */
export function grantsOf(client, ledger) {
  const grants = new Map();
  for (const { event, token, grant, client: owner } of ledger) {
    if (owner !== client) continue;
    if (!grants.has(grant)) grants.set(grant, { tokens: [], revoked: false });
    const known = grants.get(grant);
    if (event === "issued") known.tokens.push(token);
    if (event === "revoked") known.revoked = true;
  }
  return grants;
}

/** Whether the provider still honours a refresh token that has arrived in a page. */
export const honoured = (grants, arrived) =>
  [...grants.values()].some(
    ({ tokens, revoked }) => !revoked && arrived.has(tokens.at(-1)),
  );

/**
 * Whether a lost session could have been kept: the newest refresh token of its grant had arrived in a page that lived on
 * for a turn. The provider honours it still, or did until an older one was sent.
 *
 * A client may have more grants than one, since somebody signed in anew: the sessions are then those whose grants were
 * used for these refreshes, or any if there was no refresh.
 */
export function avoidable(refreshes, grants, arrived) {
  const sent = new Set(refreshes.map(({ token }) => token));
  const used = [...grants.values()].filter(({ tokens }) =>
    tokens.some((token) => sent.has(token)),
  );
  const own = used.length > 0 ? used : [...grants.values()];
  return own.some(({ tokens }) => arrived.has(tokens.at(-1)));
}

/**
 * How many refreshes were due, and how many requests they took.
 *
 * One is due for each grant that was used. Not counted are requests that a fault befell before the provider had handled
 * them, and those that follow an answer which arrived nowhere: to ask again is all that can be done then.
 */
export function account(refreshes, grants, arrived) {
  const grantOf = new Map();
  const successor = new Map();
  for (const [id, { tokens }] of grants)
    for (const [at, token] of tokens.entries()) {
      grantOf.set(token, id);
      successor.set(token, tokens[at + 1]);
    }
  const used = new Set();
  const answerLost = new Set();
  let requests = 0;
  for (const { token, fault } of refreshes) {
    used.add(grantOf.get(token));
    if (answerLost.has(token)) continue;
    if (fault !== undefined && fault !== "lose") continue;
    requests += 1;
    const next = successor.get(token);
    if (next !== undefined && !arrived.has(next)) answerLost.add(token);
  }
  return { due: requests > 0 ? used.size : 0, requests };
}
