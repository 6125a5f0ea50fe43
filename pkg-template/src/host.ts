import type { Host } from "./core.js";
import type { NormalOptions, Options } from "./options.js";

/** What the Rust side calls; functions of the application are those of its newest options. */
export function createHost(
  client: { readonly options: Options; readonly normal: NormalOptions },
  tell: (message: string) => void,
): Host {
  const { transport, log } = client.options;
  return {
    session: client.normal.storage,
    logins: client.normal.logins,
    transport:
      transport &&
      ((request, endpoint) => client.options.transport?.(request, endpoint)),
    log:
      log &&
      ((level, message, name, value) =>
        client.options.log?.({
          level: level as "debug" | "warn",
          message,
          fields: name ? { [name]: value } : {},
        })),
    tell,
  };
}
