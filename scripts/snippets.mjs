import {
  copyFile,
  mkdir,
  readdir,
  readFile,
  rm,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { inCheckout } from "./checkout.mjs";
import { run } from "./command.mjs";
import { main } from "./main.mjs";

// Compiles every snippet of the documents against `pkg`. What a snippet leaves to its reader (`issuer`, `auth`, a
// component of the application's) stands in tests/types/snippets.d.ts. A fence `ts no-check: REASON` is left out.

const folder = inCheckout("target/snippets");

/** What a fence is named, and what is compiled of it. */
const kinds = {
  ts: { extension: "ts", parts: whole },
  tsx: { extension: "tsx", parts: whole },
  // Its syntax; types it has none.
  js: { extension: "mjs", parts: whole },
  svelte: { extension: "ts", parts: scripts, component: svelte },
  vue: { extension: "ts", parts: scripts, component: vue },
  html: { extension: "ts", parts: scripts },
};

await main(async () => {
  const pages = [
    "README.md",
    "pkg-template/README.md",
    ...(await readdir(inCheckout("docs")))
      .filter((name) => name.endsWith(".md"))
      .map((name) => `docs/${name}`),
  ];
  await rm(folder, { recursive: true, force: true });
  await mkdir(join(folder, "node_modules"), { recursive: true });
  await symlink(
    inCheckout("pkg"),
    join(folder, "node_modules/countersign"),
    "junction",
  );
  const places = new Map();
  const left = [];
  for (const page of pages)
    for (const { line, info, lines } of fences(
      await readFile(inCheckout(page), "utf8"),
    )) {
      const [, kind = "", reason] =
        info.match(/^(\w*)(?:\s+no-check:\s*(\S.*))?$/) ?? [];
      if (reason) left.push(`${page}:${line}: ${reason}`);
      else if (info.includes("no-check"))
        throw new Error(
          `${page}:${line}: no-check needs a reason, as in \`no-check: it is an extract\``,
        );
      const { parts, extension, component } = (!reason && kinds[kind]) || {
        parts: () => [],
      };
      try {
        await component?.(lines.join("\n"));
      } catch (error) {
        throw new Error(`${page}:${line}: ${error.message}`);
      }
      for (const part of parts(lines)) {
        const name = `snippet${places.size}.${extension}`;
        places.set(name, page);
        // It stands on the same lines as in its page, so that the compiler names those.
        const text = "\n".repeat(line + part.line) + part.lines.join("\n");
        await writeFile(join(folder, name), `${text}\nexport {};\n`);
      }
    }
  const compilerOptions = {
    ...{ module: "esnext", moduleResolution: "bundler", target: "es2022" },
    ...{ strict: true, exactOptionalPropertyTypes: true, noEmit: true },
    ...{ lib: ["es2022", "dom"], types: [], jsx: "react-jsx" },
    // Angular's.
    experimentalDecorators: true,
    // Other packages' declarations: scripts/types.mjs looks at ours.
    skipLibCheck: true,
    allowJs: true,
  };
  const files = [...places.keys(), "prelude.d.ts"];
  await copyFile(
    inCheckout("tests/types/snippets.d.ts"),
    join(folder, "prelude.d.ts"),
  );
  const project = join(folder, "tsconfig.json");
  await writeFile(project, JSON.stringify({ compilerOptions, files }));
  const { status, output } = await run(
    "tsc",
    ["-p", project, "--pretty", "false"],
    { check: false },
  );
  if (status !== 0)
    throw new Error(
      output
        .trim()
        .replace(
          /^\S*?(snippet\d+\.(?:tsx?|mjs))\((\d+),\d+\)/gm,
          (_, name, line) => `${places.get(name)}:${line}`,
        ),
    );
  console.log(
    `${places.size} snippets of ${new Set(places.values()).size} pages compile.`,
  );
  for (const each of left) console.log(`Not compiled: ${each}`);
});

/** The fences of a page: `{ line, info, lines }`, `line` being that of the fence. */
function fences(text) {
  const found = [];
  let open;
  for (const [index, raw] of text.split("\n").entries()) {
    const [, indent, mark, info] = raw.match(/^(\s*)(```+)(.*)$/) ?? [];
    if (!open && mark) {
      open = { line: index + 1, info: info.trim(), mark, indent, lines: [] };
      found.push(open);
    } else if (open && mark?.startsWith(open.mark) && !info) open = undefined;
    else
      open?.lines.push(
        raw.startsWith(open.indent) ? raw.slice(open.indent.length) : raw,
      );
  }
  if (open) throw new Error(`line ${open.line}: the fence is not closed`);
  return found;
}

function whole(lines) {
  return [{ line: 0, lines }];
}

/** The scripts of a page or component; a classic script is no program of ours. */
function scripts(lines) {
  const found = [];
  let open;
  for (const [index, text] of lines.entries()) {
    if (/<script\b[^>]*(lang="ts"|type="module")[^>]*>\s*$/.test(text)) {
      open = { line: index + 1, lines: [] };
      found.push(open);
    } else if (/<\/script>/.test(text)) open = undefined;
    else open?.lines.push(text);
  }
  return found;
}

/** The templates of components are for the frameworks' own compilers, as far as these look. */
async function svelte(source) {
  const { compile } = await import("svelte/compiler");
  compile(source, { filename: "Snippet.svelte" });
}

async function vue(source) {
  const { compileScript, compileTemplate, parse } =
    await import("vue/compiler-sfc");
  const { descriptor, errors } = parse(source);
  if (errors.length > 0) throw errors[0];
  const { bindings } = compileScript(descriptor, { id: "snippet" });
  const { errors: wrong } = compileTemplate({
    ...{ id: "snippet", filename: "Snippet.vue" },
    source: descriptor.template?.content ?? "",
    compilerOptions: {
      bindingMetadata: bindings,
      expressionPlugins: ["typescript"],
    },
  });
  if (wrong.length > 0) throw new Error(String(wrong[0].message ?? wrong[0]));
}
