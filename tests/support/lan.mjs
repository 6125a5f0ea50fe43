// A local network of one machine: names that browsers take for strangers, all of them on loopback. There a page on plain
// http is no secure context: no `crypto.subtle`, no Web Locks.

import { request } from "node:http";
import { createServer } from "node:https";
import { generate } from "selfsigned";
import { close, listen } from "./app.mjs";

/** What the engines are started with, so that these names lead to loopback. */
export const lanOptions = {
  chromium: (options) => ({
    ...options,
    args: [...options.args, "--host-resolver-rules=MAP *.lan 127.0.0.1"],
  }),
  firefox: (options) => ({
    ...options,
    firefoxUserPrefs: { "network.dns.localDomains": "app.lan,as.lan" },
  }),
};

/** The same address by a name of the network. */
export const named = (url, name) => url.replace("127.0.0.1", name);

/** A TLS front, with a certificate of its own making, for what is served on plain http; set `target` before it is asked. */
export async function startTls(name) {
  const attributes = [{ name: "commonName", value: name }];
  const extensions = [
    { name: "subjectAltName", altNames: [{ type: 2, value: name }] },
  ];
  const { private: key, cert } = await generate(attributes, { extensions });
  const front = { target: undefined };
  const server = createServer({ key, cert }, (req, res) => {
    const { method, headers } = req;
    const onward = request(front.target + req.url, { method, headers });
    onward.once("error", () => res.destroy());
    onward.once("response", (answer) => {
      res.writeHead(answer.statusCode, answer.headers);
      answer.pipe(res);
    });
    req.pipe(onward);
  });
  const address = await listen(server);
  front.url = named(address, name).replace("http:", "https:");
  front.close = () => close(server);
  return front;
}
