// The guard, as the types of the router itself want guards. Compiled, not run.

import { createAuth } from "countersign";
import { authGuard } from "countersign/vue";
import type { Component } from "vue";
import { createRouter, createWebHistory } from "vue-router";

declare const component: Component;
const auth = createAuth({ issuer: "https://id.example", clientId: "spa" });
const router = createRouter({
  history: createWebHistory("/base"),
  routes: [{ path: "/", component }],
});

router.beforeEach(authGuard(auth, { router }));
const guard = authGuard(auth, { router, signedOut: { name: "bye" } });
router.beforeEach((to) => to.path === "/" || guard(to));
export const routes = [
  { path: "/", component, beforeEnter: guard },
  { path: "/", component, beforeEnter: [guard] },
];
router.addRoute({ path: "/", component, beforeEnter: guard });
