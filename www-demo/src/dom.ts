type Child = Node | string | null | false;

/** An element with attributes and children. Strings become text, never markup. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, value);
  }
  element.append(
    ...children.filter((child) => child !== null && child !== false),
  );
  return element;
}

export function byId<T extends Element = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`no element #${id}`);
  return element as unknown as T;
}

const shownBefore = new WeakMap<Element, string>();

/** Replaces the content, unless `from` is what it was made from last time. What the reader opened stays open. */
export function replaceFrom(
  element: Element,
  from: unknown,
  make: () => readonly Node[],
): void {
  const text = JSON.stringify(from) ?? "";
  if (shownBefore.get(element) === text) return;
  shownBefore.set(element, text);
  const before = details(element);
  const focused = before.findIndex((one) =>
    one.contains(document.activeElement),
  );
  const open = before.filter((one) => one.open).map((one) => one.dataset["is"]);
  element.replaceChildren(...make());
  for (const one of details(element)) {
    one.open = open.includes(one.dataset["is"]);
    if (one.dataset["is"] === before[focused]?.dataset["is"]) {
      one.querySelector("summary")?.focus({ preventScroll: true });
    }
  }
}

function details(element: Element): HTMLDetailsElement[] {
  return [...element.querySelectorAll("details")];
}

export function duration(milliseconds: number): string {
  if (milliseconds < 10) return `${milliseconds.toFixed(1)} ms`;
  if (milliseconds < 1000) return `${milliseconds.toFixed(0)} ms`;
  return `${(milliseconds / 1000).toFixed(1)} s`;
}

export function clockTime(at: number): string {
  return new Date(at).toLocaleTimeString([], { hour12: false });
}
