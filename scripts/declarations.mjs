import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { format } from "prettier";
import { parsers } from "prettier/plugins/typescript";

// The declarations of an entry, gathered from all files that it reaches, as one text: what a user of the entry sees.

/**
 * The text for the entry in `file`. What the entry `known`, `{ name, file }`, exports as well is imported from there
 * instead of being told again.
 */
export async function declarationsOf(file, known) {
  const graph = new Map();
  const entry = await moduleOf(file, graph);
  const base = known ? exportsOf(await moduleOf(known.file, new Map())) : [];
  const there = new Map(base.map(({ id, name }) => [id, name]));
  const statements = new Map();
  const top = new Map();
  const add = (words, name, from) => {
    const key = [words, from];
    const id = key.join();
    top.set(id, [...key, [...(top.get(id)?.[2] ?? []), name]]);
  };
  const take = (found) => {
    if (statements.has(found.id)) return;
    if (there.has(found.id)) {
      statements.set(found.id, []);
      const name = as(there.get(found.id), found.local);
      return add("import type", name, known.name);
    }
    statements.set(found.id, found.declared);
    for (const { uses, module } of found.declared)
      for (const name of uses) look(module, name);
  };
  const look = (module, name) => {
    const found = resolve(module, name);
    if (found?.declared) take(found);
    else if (found && !statements.has(found.id)) {
      statements.set(found.id, []);
      add("import type", found.text, found.from);
    }
  };
  const open = new Set();
  for (const { id, name, found, onlyType } of exportsOf(entry)) {
    const words = onlyType ? "export type" : "export";
    if (there.has(id)) add(words, as(there.get(id), name), known.name);
    else if (found.from) add(words, found.text, found.from);
    else {
      take(found);
      if (found.local === name && (!onlyType || !found.isValue)) open.add(id);
      else add(words, as(found.local, name));
    }
  }
  const augments = [...graph.values()].flatMap((module) => module.augments);
  for (const { uses, module } of augments)
    for (const name of uses) look(module, name);
  checkNames(statements);
  const files = [...graph.keys()];
  const place = ({ module, start }) => files.indexOf(module.file) * 1e9 + start;
  const text = [
    ...[...top.values()].map(topText).sort(),
    ...[...statements]
      .flatMap(([id, list]) =>
        list.map((each) => ({ ...each, isOpen: open.has(id) })),
      )
      .concat(augments)
      .sort((a, b) => place(a) - place(b))
      .map(
        ({ doc, code, isOpen }) => `${doc}${isOpen ? "export " : ""}${code}`,
      ),
    // Without an export of this kind a declaration file exports all that it declares.
    "export {};",
  ];
  return format(text.join("\n\n"), { parser: "typescript" });
}

const as = (name, other) => (name === other ? name : `${name} as ${other}`);

function topText([words, from, names]) {
  const source = from ? ` from "${from}"` : "";
  const [star] = names.filter((name) => name.startsWith("*"));
  if (star) return `${words} ${star}${source};`;
  return `${words} { ${names.sort().join(", ")} }${source};`;
}

function checkNames(statements) {
  const names = [...statements]
    .filter(([, list]) => list.length > 0)
    .map(([id]) => id.split("#")[1]);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice) throw new Error(`two declarations are named ${twice}`);
}

/** What a module exports: `{ name, id, found, onlyType }`. */
function exportsOf(module) {
  const all = new Map();
  for (const { there, onlyType } of module.stars)
    for (const each of exportsOf(there))
      all.set(each.name, { ...each, onlyType: onlyType || each.onlyType });
  for (const [name, target] of module.exported) {
    const found = target.local ? resolve(module, target.local) : follow(target);
    if (!found) throw new Error(`${module.file}: ${name} is not there`);
    const onlyType = target.onlyType || (found.declared && !found.isValue);
    all.set(name, { name, id: found.id, found, onlyType: !!onlyType });
  }
  return [...all.values()];
}

/** What a name of a module is: `{ id, local, declared, isValue }`, `{ id, from, text }` of another package, or nothing for a global. */
function resolve(module, name) {
  const declared = module.declared.get(name);
  if (declared) {
    const isValue = declared.some(
      ({ code }) => !/^(interface|type)\b/.test(code),
    );
    return { id: `${module.file}#${name}`, local: name, declared, isValue };
  }
  const target = module.imported.get(name);
  return target && follow(target);
}

function follow({ there, name, from, text }) {
  if (!there) return { id: `${from} ${text}`, from, text };
  return exportsOf(there).find((each) => each.name === name)?.found;
}

/** A declaration file, and all that it reaches. */
async function moduleOf(file, graph) {
  const known = graph.get(file);
  if (known) return known;
  const module = {
    file,
    declared: new Map(),
    imported: new Map(),
    exported: new Map(),
    stars: [],
    augments: [],
  };
  graph.set(file, module);
  const text = await readFile(file, "utf8");
  const { body, comments } = parsers.typescript.parse(text, { filepath: file });
  for (const statement of body) {
    const { type, source, specifiers, declaration } = statement;
    const from = source?.value;
    const there = from?.startsWith(".")
      ? await moduleOf(
          join(dirname(file), from.replace(/\.js$/, ".d.ts")),
          graph,
        )
      : undefined;
    const onlyType = statement.exportKind === "type";
    if (type === "ImportDeclaration") {
      for (const each of specifiers) {
        const name =
          {
            ImportNamespaceSpecifier: "*",
            ImportSpecifier: each.imported?.name,
          }[each.type] ?? "default";
        const local = each.local.name;
        module.imported.set(local, {
          there,
          name,
          from,
          text: as(name, local),
        });
      }
    } else if (type === "ExportAllDeclaration" && there) {
      module.stars.push({ there, onlyType });
    } else if (type === "ExportNamedDeclaration" && !declaration) {
      for (const { local, exported } of specifiers) {
        const text = as(local.name, exported.name);
        const target = source
          ? { there, name: local.name, from, text }
          : { local: local.name };
        module.exported.set(exported.name, { ...target, onlyType });
      }
    } else if (/^(ExportNamed|TS|Class|Variable)/.test(type)) {
      declare(module, statement, text, comments);
    } else throw new Error(`${file}: a ${type} is not expected`);
  }
  return module;
}

/** A declaration with its comment; overloads stand under one name. */
function declare(module, statement, text, comments) {
  const node = statement.declaration ?? statement;
  const isOpen = node !== statement;
  const [start, end] = node.range;
  const doc = comments.findLast(
    ({ range: [, to] }) =>
      to <= statement.range[0] && !text.slice(to, statement.range[0]).trim(),
  );
  const declaration = {
    module,
    start,
    doc: doc ? `${text.slice(...doc.range)}\n` : "",
    code: without(hiddenIn(node), text, start, end),
    uses: new Set(namesIn(node, module.file)),
  };
  // `declare module "x"` and `declare global`.
  if (node.type === "TSModuleDeclaration") {
    module.augments.push(declaration);
    return;
  }
  const ids = node.declarations?.map(({ id }) => id) ?? [node.id];
  for (const { name } of ids) {
    const before = module.declared.get(name) ?? [];
    module.declared.set(name, [...before, declaration]);
    if (isOpen) module.exported.set(name, { local: name });
  }
}

/** Members that no user can reach. A private constructor stays: it says that nobody makes one. */
function hiddenIn(node) {
  return (node.body?.body ?? [])
    .filter(
      ({ accessibility, kind, key }) =>
        (accessibility === "private" && kind !== "constructor") ||
        /^Private/.test(key?.type),
    )
    .map(({ range }) => range);
}

function without(ranges, text, start, end) {
  const starts = [...ranges.map(([, to]) => to), end];
  const ends = [...ranges.map(([from]) => from), end];
  return ends
    .map((to, index) => text.slice(index ? starts[index - 1] : start, to))
    .join("");
}

/** Every identifier in a piece of syntax. Too many do no harm: only those of the file's top level are looked up. */
function* namesIn(node, file) {
  if (Array.isArray(node)) for (const each of node) yield* namesIn(each, file);
  if (typeof node?.type !== "string") return;
  if (node.type === "TSImportType" && node.source?.value.startsWith("."))
    throw new Error(`${file}: name the type of ${node.source.value}`);
  if (node.type === "Identifier") yield node.name;
  for (const [key, value] of Object.entries(node))
    if (typeof value === "object" && key !== "parent")
      yield* namesIn(value, file);
}
