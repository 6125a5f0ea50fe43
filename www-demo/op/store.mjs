// Everything the provider remembers, in one place of our own: it outlives the
// provider object that a key rotation replaces, and no two providers share it.

const grantable = new Set(["AccessToken", "AuthorizationCode", "RefreshToken"]);

/** Storage for `oidc-provider`, in memory. */
export function createStore() {
  const models = new Map();
  const entries = (model) => {
    if (!models.has(model)) models.set(model, new Map());
    return models.get(model);
  };

  const revokeGrant = (grantId) => {
    for (const model of grantable) {
      for (const [id, payload] of entries(model)) {
        if (payload.grantId === grantId) entries(model).delete(id);
      }
    }
  };

  return {
    entries,
    revokeGrant,
    adapter: (model) => ({
      async upsert(id, payload) {
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
        entries(model).get(id).consumed = Math.floor(Date.now() / 1000);
      },
      async destroy(id) {
        entries(model).delete(id);
      },
      async revokeByGrantId(grantId) {
        revokeGrant(grantId);
      },
    }),
  };
}
