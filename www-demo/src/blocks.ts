import { duration, h } from "./dom.ts";
import type { Exchange, Fields } from "./journal.ts";

type Notes = Readonly<Record<string, string>>;

/** Names and values in rows, with a word on what each is for. */
export function fields(rows: Fields, notes: Notes = {}): HTMLElement {
  return h(
    "dl",
    { class: "fields" },
    ...rows.map(([name, value]) => {
      const note = notes[name];
      return h(
        "div",
        {},
        h("dt", {}, name),
        h(
          "dd",
          {},
          h("code", {}, value),
          note === undefined ? null : h("span", { class: "note" }, note),
        ),
      );
    }),
  );
}

/** The first line of a request: what was asked, what came, how long it took. */
export function requestLine(request: {
  readonly method: string;
  readonly url: string;
  readonly status: number | null;
  readonly failure: string | null;
  readonly milliseconds: number | null;
}): HTMLElement {
  const { method, url, status, failure, milliseconds } = request;
  const failed = failure !== null || (status !== null && status >= 400);
  const outcome = failure ?? (status === null ? "…" : String(status));
  return line(
    method,
    url,
    h("span", { class: `outcome ${failed ? "bad" : "good"}` }, outcome),
    milliseconds === null
      ? null
      : h("span", { class: "took" }, duration(milliseconds)),
  );
}

/** The same for where the browser itself went. */
export function redirectLine(url: string): HTMLElement {
  return line("GET", url, h("span", { class: "took" }, "redirect"));
}

function line(
  method: string,
  url: string,
  ...rest: readonly (Node | null)[]
): HTMLElement {
  return h(
    "p",
    { class: "line" },
    h("span", { class: "method" }, method),
    h("code", { class: "url" }, url),
    ...rest,
  );
}

/** A whole exchange: its first line, what was sent, what was received. */
export function exchangeBlock(
  exchange: Exchange,
  sentNotes: Notes,
  receivedNotes: Notes,
): HTMLElement {
  const { sent } = exchange;
  const received = answerFields(exchange.answer);
  return h(
    "div",
    { class: "exchange" },
    requestLine(exchange),
    sent.length > 0 && labelled("Sent", fields(sent, sentNotes)),
    received.length > 0 &&
      labelled("Received", fields(received, receivedNotes)),
  );
}

export function labelled(label: string, content: Node): HTMLElement {
  return h("div", { class: "part" }, h("h3", {}, label), content);
}

/** A statement that the page itself has checked. */
export function verdict(holds: boolean, yes: string, no: string): HTMLElement {
  return h(
    "p",
    { class: `verdict ${holds ? "good" : "bad"}` },
    h("span", { "aria-hidden": "true" }, holds ? "✓" : "✕"),
    holds ? yes : no,
  );
}

/** Something to open; `is` recognises it when its summary has changed. */
export function more(
  is: string,
  summary: string,
  ...content: Node[]
): HTMLElement {
  return h("details", { "data-is": is }, h("summary", {}, summary), ...content);
}

export function json(value: unknown): HTMLElement {
  return h(
    "pre",
    { class: "json", tabindex: "0" },
    JSON.stringify(value, null, 2),
  );
}

export function answerFields(answer: unknown): Fields {
  if (typeof answer === "string") return [["body", answer]];
  if (answer === null || typeof answer !== "object") return [];
  return Object.entries(answer).map(([name, value]) => [
    name,
    typeof value === "string" ? value : JSON.stringify(value),
  ]);
}

const waterfallNames: Readonly<Record<string, string>> = {
  discovery: "discovery",
  jwks: "keys",
  token: "tokens",
};

/** When each request ran, beside the others. */
export function waterfall(exchanges: readonly Exchange[]): HTMLElement {
  const start = Math.min(...exchanges.map(({ at }) => at));
  const whole = Math.max(1, ...exchanges.map((one) => endOf(one) - start));
  return h(
    "ol",
    { class: "waterfall" },
    ...exchanges.map((one) => {
      const took = endOf(one) - one.at;
      const bar = h("span", { class: "bar" });
      bar.style.marginInlineStart = `${((one.at - start) / whole) * 100}%`;
      bar.style.width = `${Math.max(2, (took / whole) * 100)}%`;
      return h(
        "li",
        {},
        h("span", {}, waterfallNames[one.endpoint] ?? one.endpoint),
        h("span", { class: "lane" }, bar),
        h("span", { class: "took" }, duration(took)),
      );
    }),
  );
}

/** How many requests waited for the answer to another: those under way together count once. */
export function roundTrips(exchanges: readonly Exchange[]): number {
  let count = 0;
  let end = -Infinity;
  for (const one of [...exchanges].sort((a, b) => a.at - b.at)) {
    if (one.at >= end) {
      count += 1;
      end = endOf(one);
    } else {
      end = Math.min(end, endOf(one));
    }
  }
  return count;
}

function endOf({ at, settledAt }: Exchange): number {
  return settledAt ?? at;
}
