// An application in Angular, in a zone where there is one. `window.options` are those of the client, `window.baseHref` is where it lives.

import "@angular/compiler";
import { APP_BASE_HREF } from "@angular/common";
import {
  HttpClient,
  provideHttpClient,
  withFetch,
  withInterceptors,
  withJsonpSupport,
} from "@angular/common/http";
import {
  Component,
  Injector,
  createEnvironmentInjector,
  effect,
  inject,
  provideZoneChangeDetection,
  provideZonelessChangeDetection,
  runInInjectionContext,
} from "@angular/core";
import { bootstrapApplication } from "@angular/platform-browser";
import {
  Router,
  RouterOutlet,
  provideRouter,
  withHashLocation,
} from "@angular/router";
import { createAuth, isAuthError } from "countersign";
import {
  authGuard,
  authInterceptor,
  createAuthGuard,
  injectAuth,
  provideAuth,
} from "countersign/angular";
import { lastValueFrom, tap } from "rxjs";

const settings = {
  baseHref: "/",
  fetch: false,
  hash: false,
  ...window.settings,
};

window.listeners = 0;
window.effects = [];

/** Counts who listens to the client. */
function counted(client) {
  return Object.create(client, {
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
}

const shell = `
  <p id="status">{{ auth.state().status }}</p>
  <p id="name">{{ auth.user()?.sub ?? "nobody" }}</p>
  @if (auth.isSignedIn()) { <p id="in">signed in</p> }
  @if (auth.state().error; as error) { <p id="error">{{ error.code }}</p> }
  <button id="login" (click)="auth.login()">sign in</button>
  <button id="logout" (click)="auth.logout({ local: true })">sign out</button>
  <router-outlet />`;

const App = Component({
  selector: "test-app",
  imports: [RouterOutlet],
  template: shell,
})(
  class {
    auth = injectAuth();
    seen = effect(() => void window.effects.push(this.auth.state().status));
  },
);

const Guarded = Component({ template: `<p id="guarded">{{ text }}</p>` })(
  class {
    text = `${injectAuth().user().sub} at ${inject(Router).url}`;
  },
);

const plain = (id) =>
  Component({ template: `<p id="${id}">${id}</p>` })(class {});

const routes = [
  { path: "", component: plain("home") },
  { path: "guarded", component: Guarded, canActivate: [authGuard] },
  {
    path: "kind",
    component: Guarded,
    canActivate: [createAuthGuard({ signedOut: "/signed-out?from=kind" })],
  },
  { path: "signed-out", component: plain("signed-out") },
  { path: "callback", component: plain("callback") },
];

async function start() {
  document.body.append(document.createElement("test-app"));
  const http = settings.fetch ? [withFetch()] : [];
  const app = await bootstrapApplication(App, {
    providers: [
      "Zone" in window
        ? provideZoneChangeDetection()
        : provideZonelessChangeDetection(),
      ...(settings.baseHref === null
        ? []
        : [{ provide: APP_BASE_HREF, useValue: settings.baseHref }]),
      provideRouter(routes, ...(settings.hash ? [withHashLocation()] : [])),
      provideHttpClient(
        ...http,
        withInterceptors([authInterceptor]),
        withJsonpSupport(),
      ),
      provideAuth(() => (window.auth = counted(createAuth(window.options)))),
    ],
  });
  const within = (call) => runInInjectionContext(app.injector, call);
  const router = within(() => inject(Router));
  const client = within(() => inject(HttpClient));
  Object.assign(window, {
    go: (url) => router.navigateByUrl(url),
    remove: () => app.destroy(),
    /** A request of HttpClient's: what came of it, and what was told on the way. */
    async send(method, url, options) {
      const told = [];
      const events = client.request(method, url, {
        observe: "events",
        ...options,
      });
      try {
        const { status, body } = await lastValueFrom(
          events.pipe(tap(({ type }) => told.push(type))),
        );
        return { status, body, told };
      } catch (error) {
        const { status, url } = error;
        return isAuthError(error)
          ? { code: error.code }
          : { status, url, told };
      }
    },
    /** Gives up before the token is there. */
    giveUp(url) {
      client.get(url).subscribe().unsubscribe();
    },
    /** What using the adapter in such a wrong way throws. */
    thrownBy(name) {
      const nobody = Injector.create({ providers: [] });
      const nothing = [provideAuth(() => undefined)];
      const wrong = {
        outside: () => injectAuth(),
        unprovided: () => runInInjectionContext(nobody, injectAuth),
        nothing: () => provideAuth(undefined),
        emptyHanded: () =>
          runInInjectionContext(
            createEnvironmentInjector(nothing, app.injector),
            injectAuth,
          ),
      };
      try {
        wrong[name]();
      } catch (error) {
        return isAuthError(error)
          ? { code: error.code, ...error.details }
          : { foreign: String(error) };
      }
      return null;
    },
  });
}

start().catch((error) => {
  window.failed = String(error);
});
