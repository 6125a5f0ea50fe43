// The Vue application of the tests: its components and routes, a client that it is given, and nothing else.

import { createSSRApp, createApp, h } from "vue";
import { RouterView, createRouter } from "vue-router";
import { authGuard, createAuthPlugin, useAuth } from "countersign/vue";

const Status = {
  setup() {
    const { state, status } = useAuth();
    const shown = ({ value }) =>
      value.status === "signedOut" ? value.reason : status.value;
    return () => h("header", shown(state));
  },
};

const Home = { render: () => h("main", "home") };

const Members = {
  setup() {
    const { state, user, logout } = useAuth();
    return () => [
      h(
        "main",
        state.value.status === "signedIn"
          ? `member: ${state.value.user.sub}`
          : `nobody ${user.value}`,
      ),
      h("button", { onClick: () => logout() }, "log out"),
    ];
  },
};

const Bye = {
  setup() {
    const { state, login } = useAuth();
    return () => [
      h("main", `bye ${state.value.error?.code ?? ""}`),
      h("button", { onClick: () => login() }, "sign in"),
    ];
  },
};

/** `setup` says what is different from the ten lines of the documentation. */
export function makeApp({ auth, setup = {}, history, server = false }) {
  const router = createRouter({
    history,
    routes: [
      { path: "/members/:id?", component: Members, meta: { signedIn: true } },
      { path: "/bye", component: Bye },
      { path: "/:rest(.*)", component: Home },
    ],
  });
  const { login, signedOut } = setup;
  const guard = authGuard(auth, {
    router,
    ...(login && { login }),
    ...(signedOut && { signedOut }),
  });
  router.beforeEach((to) => !to.meta.signedIn || guard(to));
  const Root = () => [h(Status), h(RouterView)];
  const app = (server ? createSSRApp : createApp)(Root);
  if (!setup.alone) app.use(createAuthPlugin(auth));
  app.use(router);
  return { app, router };
}
