// The page of the Vue application. It begins by itself; `window.setup` was put there before its scripts ran.

import { effectScope } from "vue";
import { createWebHashHistory, createWebHistory } from "vue-router";
import { createAuth } from "countersign";
import { useAuth } from "countersign/vue";
import { counted } from "./counted.js";
import { makeApp } from "./vue-app.js";

const {
  options,
  lost,
  stay,
  aborted,
  handles,
  base = "",
  hash,
  ...setup
} = window.setup;
// Such as a router that sends what it does not know home.
if (lost && location.pathname === lost)
  history.replaceState(null, "", "/members");

const auth = createAuth({
  ...options,
  onCallback: ({ returnTo }) =>
    void router.replace(
      returnTo.slice(hash ? returnTo.indexOf("#") + 1 : base.length),
    ),
});
window.left = [];
if (stay) setup.login = { navigate: (url) => void left.push(url) };
if (aborted) setup.login = { signal: AbortSignal.abort() };
// Whoever handles callbacks, but does not wait for what comes of it.
if (handles && auth.isCallback()) auth.handleCallback().catch(() => {});
const counts = { subscribers: 0 };
const rendered = document.getElementById("root");
const client = counted(auth, counts);
const { app, router } = makeApp({
  auth: client,
  setup,
  history: hash ? createWebHashHistory() : createWebHistory(base),
  server: rendered !== null,
});
const failures = [];
const note = (error) =>
  void failures.push([error.code, error.details?.option].join(" "));
router.onError(note);
app.config.errorHandler = note;
Object.assign(window, { auth, app, router, counts, failures });
Object.assign(window, { effectScope, useAuth: () => useAuth(client) });

// What a server rendered is taken over as soon as the router knows where it is.
if (rendered) await router.isReady();
app.mount(rendered ?? document.body.appendChild(document.createElement("div")));
