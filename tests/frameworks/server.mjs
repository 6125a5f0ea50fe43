// The applications as a server renders them.

import { onServer } from "./bundle.mjs";

const client = `
  import { createAuth } from "countersign";
  const auth = () => createAuth({ issuer: "https://id.example", clientId: "spa" });`;

const reactServer = `${client}
  import { renderToString } from "react-dom/server";
  import { App } from "./react-app.jsx";
  export const render = (path) => renderToString(<App auth={auth()} path={path} />);`;

const vueServer = `${client}
  import { renderToString } from "vue/server-renderer";
  import { createMemoryHistory } from "vue-router";
  import { makeApp } from "./vue-app.js";
  export async function render(path) {
    const history = createMemoryHistory();
    const { app, router } = makeApp({ auth: auth(), history, server: true });
    await router.push(path);
    await router.isReady();
    return renderToString(app);
  }`;

/** The React application at a path, as HTML. */
export const renderReact = async (path, alias) =>
  (await onServer(reactServer, { alias })).render(path);

/** The Vue application at a path, as HTML. */
export const renderVue = async (path) =>
  (await onServer(vueServer)).render(path);
