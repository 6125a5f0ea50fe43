// The page of the React application. It begins by itself; `window.setup` was put there before its scripts ran.

import * as React from "react";
import { createRoot, hydrateRoot } from "react-dom/client";
import { createAuth } from "countersign";
import { App } from "./react-app.jsx";
import { counted } from "./counted.js";

const { options, lost, wait, stay, aborted, handles, ...setup } = window.setup;
// Such as a router that sends what it does not know home.
if (lost && location.pathname === lost)
  history.replaceState(null, "", "/members");

const auth = createAuth({
  ...options,
  onCallback: ({ returnTo }) => go(returnTo),
});
window.left = [];
if (stay) setup.login = { navigate: (url) => void left.push(url) };
if (aborted) setup.login = { signal: AbortSignal.abort() };
// Whoever handles callbacks, but does not wait for what comes of it.
if (handles && auth.isCallback()) auth.handleCallback().catch(() => {});
Object.assign(window, { auth, go, React, counts: { subscribers: 0 } });

function go(path) {
  history.replaceState(null, "", path);
  dispatchEvent(new PopStateEvent("popstate"));
}

const listen = (changed) => {
  addEventListener("popstate", changed);
  return () => removeEventListener("popstate", changed);
};

function Routed({ auth }) {
  const here = () => location.pathname;
  const path = React.useSyncExternalStore(listen, here, here);
  return <App auth={auth} setup={setup} path={path} />;
}

const app = (
  <React.StrictMode>
    <Routed auth={counted(auth, window.counts)} />
  </React.StrictMode>
);
const rendered = document.getElementById("root");
if (wait) await auth.ready;
if (rendered) hydrateRoot(rendered, app);
else {
  const root = document.createElement("div");
  document.body.append(root);
  window.root = createRoot(root);
  window.root.render(app);
}
