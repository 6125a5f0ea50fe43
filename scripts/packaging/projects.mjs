// The projects of tests/packaging, and the ways in which each of them is run.

/** Where everything is served. */
const host = "127.0.0.1";

const external = { variant: "src/external.js", entry: "src/main.js" };

/**
 * A project is `{ name, tool, modes }`, `tool` the npm package that says which version it is. A mode is
 *
 * - `mode`: its name in the table; `ci`: it runs on every run of `npm test`;
 * - `variant`: this file of the project takes the place of `entry`;
 * - `build`: the npm script that builds, if any;
 * - `serve(port)`: the words after `npm run` that serve it; without it the project's folder, or `folder` of it, is
 *   served by a static server; `env(port)`: what the server is to know;
 * - `rendered`: what the page that the server renders has in it.
 */
export const projects = [
  {
    name: "node",
    tool: "node",
    modes: [{ mode: "import", ci: true, program: "main.js" }],
  },
  { name: "static", tool: "browser", modes: [{ mode: "modules", ci: true }] },
  vite("vite-8", { ci: true }),
  vite("vite-7"),
  vite("vite-6"),
  {
    name: "webpack",
    tool: "webpack",
    modes: [
      { mode: "build", ci: true, build: "build" },
      {
        mode: "build, external",
        build: "build",
        variant: "src/external.js",
        entry: "src/index.js",
      },
    ],
  },
  {
    name: "esbuild",
    tool: "esbuild",
    modes: [
      { mode: "build", ci: true, build: "build" },
      { mode: "build, external", ci: true, build: "build:external" },
    ],
  },
  {
    name: "rollup",
    tool: "rollup",
    modes: [{ mode: "build", build: "build" }],
  },
  {
    name: "parcel",
    tool: "parcel",
    modes: [
      {
        mode: "dev",
        serve: (port) => ["dev", "--host", host, "--port", port],
      },
      { mode: "build", build: "build", folder: "dist" },
    ],
  },
  {
    name: "next",
    tool: "next",
    modes: [
      {
        mode: "dev",
        serve: (port) => ["dev", "--hostname", host, "--port", port],
        rendered: "loading",
      },
      {
        mode: "build",
        ci: true,
        build: "build",
        serve: (port) => ["start", "--hostname", host, "--port", port],
        rendered: "loading",
      },
    ],
  },
  {
    name: "sveltekit",
    tool: "@sveltejs/kit",
    modes: [
      {
        mode: "dev",
        serve: (port) => ["dev", ...viteWords(port)],
        rendered: "loading",
      },
      {
        mode: "build",
        build: "build",
        serve: () => ["start"],
        env: (port) => ({ HOST: host, PORT: port }),
        rendered: "loading",
      },
    ],
  },
  {
    name: "angular",
    tool: "@angular/cli",
    modes: [
      {
        mode: "serve",
        serve: (port) => ["start", "--host", host, "--port", port],
      },
      { mode: "build", build: "build", folder: "dist/app/browser" },
    ],
  },
];

const viteWords = (port) => ["--host", host, "--port", port, "--strictPort"];

function vite(name, { ci = false } = {}) {
  const dev = { mode: "dev", serve: (port) => ["dev", ...viteWords(port)], ci };
  const build = { mode: "build", build: "build", folder: "dist", ci };
  const variants = [dev, build].map((each) => ({
    ...each,
    ...external,
    mode: `${each.mode}, external`,
  }));
  return { name, tool: "vite", modes: [dev, build, ...variants] };
}
