// Everything the provider remembers, in one place of our own: it outlives the
// provider object that a key rotation replaces, and no two providers share it.

const grantable = new Set(["AccessToken", "AuthorizationCode", "RefreshToken"]);

/**
 * Storage for `oidc-provider`, in memory.
 *
 * `ledger` has what became of the refresh tokens, in order: `{ event, token, grant, client, at }`, where `event` is
 * `"issued"`, `"used"` or `"revoked"`.
 */
export function createStore() {
  const models = new Map();
  const ledger = [];
  const entries = (model) => {
    if (!models.has(model)) models.set(model, new Map());
    return models.get(model);
  };

  const note = (event, model, token, { grantId, clientId }) => {
    if (model !== "RefreshToken") return;
    const at = Date.now();
    ledger.push({ event, token, grant: grantId, client: clientId, at });
  };

  const revokeGrant = (grantId) => {
    for (const model of grantable) {
      for (const [id, payload] of entries(model)) {
        if (payload.grantId !== grantId) continue;
        entries(model).delete(id);
        note("revoked", model, id, payload);
      }
    }
  };

  return {
    entries,
    ledger,
    revokeGrant,
    adapter: (model) => ({
      async upsert(id, payload) {
        if (!entries(model).has(id)) note("issued", model, id, payload);
        entries(model).set(id, payload);
      },
      async find(id) {
        return entries(model).get(id);
      },
      async findByUid(uid) {
        return [...entries(model).values()].find(
          (payload) => payload.uid === uid,
        );
      },
      async consume(id) {
        const payload = entries(model).get(id);
        payload.consumed = Math.floor(Date.now() / 1000);
        note("used", model, id, payload);
      },
      async destroy(id) {
        const payload = entries(model).get(id);
        if (entries(model).delete(id)) note("revoked", model, id, payload);
      },
      async revokeByGrantId(grantId) {
        revokeGrant(grantId);
      },
    }),
  };
}
