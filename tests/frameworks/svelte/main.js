// An application in Svelte. `window.options` are those of the client; `listeners` counts who listens to it.

import { createAuth, isAuthError } from "countersign";
import { createFakeAuth, signedIn, signedOut } from "countersign/testing";
import { getAuth, reactive, requireAuth, setAuth } from "countersign/svelte";
import { mount, unmount } from "svelte";
import { writable } from "svelte/store";
import App from "./App.svelte";
import Lost from "./Lost.svelte";

/** Where the application is, as a router would know it. */
const place = writable("");
const go = (url) => {
  history.replaceState(history.state, "", url);
  place.set(location.pathname);
};

const client = createAuth({
  ...window.options,
  onCallback: ({ returnTo }) => go(returnTo),
});
place.set(location.pathname);

window.listeners = 0;
window.effects = [];
window.auth = Object.create(client, {
  subscribe: {
    value(listener) {
      window.listeners += 1;
      const end = client.subscribe(listener);
      return () => {
        window.listeners -= 1;
        end();
      };
    },
  },
});

let app;
Object.assign(window, {
  go,
  /** What a router does before it goes there. */
  load: (path, login) =>
    requireAuth(window.auth, { url: new URL(path, location.href) }, login),
  show(auth = window.auth) {
    app = mount(App, {
      target: document.body,
      props: { auth, place, effects: window.effects },
    });
  },
  fake: { createFakeAuth, signedIn, signedOut },
  remove: () => unmount(app),
  /** What using the adapter in such a wrong way throws. */
  wrong: {
    lost: () => mount(Lost, { target: document.body }),
    outside: () => getAuth(),
    late: () => setAuth(window.auth),
    nothing: () => reactive(undefined),
    forgotten: () => requireAuth(undefined, { url: new URL(location.href) }),
  },
  async thrownBy(name) {
    try {
      await window.wrong[name]();
    } catch (error) {
      return isAuthError(error)
        ? { code: error.code, ...error.details }
        : { foreign: String(error) };
    }
    return null;
  },
});
window.show();
