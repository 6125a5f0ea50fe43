import assert from "node:assert/strict";
import { test } from "node:test";
import {
  account,
  avoidable,
  grantsOf,
  honoured,
  refreshesOf,
} from "../../bench/soak/judge.mjs";
import { scriptOf, sleepOf } from "../../bench/soak/script.mjs";
import { draws } from "../../bench/support/random.mjs";

const event = (event, token, grant = "g", client = "c") => ({
  event,
  token,
  grant,
  client,
});

/** A rotation from `a` to `b`. */
const rotated = [
  event("issued", "a"),
  event("used", "a"),
  event("issued", "b"),
];

const refresh = (token, more = {}) => ({
  grantType: "refresh_token",
  body: `client_id=c&refresh_token=${token}`,
  ...more,
});

/** What a provider's ledger and its requests come to, when these tokens arrived. */
function judged(ledger, requests, ...arrived) {
  const grants = grantsOf("c", ledger);
  const held = new Set(arrived);
  const refreshes = refreshesOf("c", requests);
  return {
    ...account(refreshes, grants, held),
    honoured: honoured(grants, held),
    avoidable: avoidable(refreshes, grants, held),
  };
}

test("a refresh that arrived is one request, and a session lost after it was avoidable", () => {
  assert.deepEqual(judged(rotated, [refresh("a")], "a", "b"), {
    due: 1,
    requests: 1,
    honoured: true,
    avoidable: true,
  });
});

test("a reuse is a request too many, and ends what the provider honours", () => {
  const ledger = [...rotated, event("revoked", "a"), event("revoked", "b")];
  const requests = [refresh("a"), refresh("a")];
  assert.deepEqual(judged(ledger, requests, "a", "b"), {
    due: 1,
    requests: 2,
    honoured: false,
    avoidable: true,
  });
});

test("after an answer that arrived nowhere to ask again is no request too many, and the loss unavoidable", () => {
  const ledger = [...rotated, event("revoked", "a"), event("revoked", "b")];
  const requests = [refresh("a", { fault: "lose" }), refresh("a")];
  assert.deepEqual(judged(ledger, requests, "a"), {
    due: 1,
    requests: 1,
    honoured: false,
    avoidable: false,
  });
});

test("a grant that somebody signed in over says nothing about the loss of the new one", () => {
  const ledger = [event("issued", "x", "h"), ...rotated];
  const lost = [refresh("a", { fault: "lose" })];
  assert.equal(judged(ledger, lost, "x", "a").avoidable, false);
  // The twin: it was the old one that was used, and its newest token is there.
  const used = [...ledger, event("used", "x", "h"), event("issued", "y", "h")];
  const both = [...lost, refresh("x")];
  assert.equal(judged(used, both, "x", "a", "y").avoidable, true);
  // The twin: it was lost without a refresh.
  assert.equal(judged(ledger, [], "x", "a").avoidable, true);
});

test("a request that a fault befell before it was handled does not count", () => {
  const requests = [refresh("a", { fault: 503 }), refresh("a")];
  const { due, requests: counted } = judged(rotated, requests, "a", "b");
  assert.deepEqual([due, counted], [1, 1]);
});

test("two grants of one client are two refreshes, those of another client none", () => {
  const ledger = [
    ...rotated,
    event("issued", "x", "h"),
    event("used", "x", "h"),
    event("issued", "y", "h"),
    event("issued", "z", "i", "other"),
  ];
  const foreign = { ...refresh("z"), body: "client_id=other&refresh_token=z" };
  const { due, requests } = judged(
    ledger,
    [refresh("a"), refresh("x"), foreign],
    ...["a", "b", "x", "y"],
  );
  assert.deepEqual([due, requests], [2, 2]);
});

test("a script is the same for the same seed, and another for another", () => {
  assert.deepEqual(scriptOf("1", "local", 5), scriptOf("1", "local", 5));
  assert.notDeepEqual(scriptOf("1", "local", 5), scriptOf("2", "local", 5));
  assert.equal(sleepOf("1", 5), sleepOf("1", 5));
});

test("draws keep their bounds and their weights", () => {
  const draw = draws("bounds");
  const numbers = Array.from({ length: 1000 }, () => draw.between(3, 5));
  assert.deepEqual([...new Set(numbers)].sort(), [3, 4, 5]);
  const kinds = Array.from({ length: 1000 }, () =>
    draw.weighted({ never: 0, often: 9, seldom: 1 }),
  );
  const count = (kind) => kinds.filter((one) => one === kind).length;
  assert.equal(count("never"), 0);
  assert.ok(count("seldom") > 50 && count("seldom") < 150);
});
