import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The checkout's top folder. */
export const root = fileURLToPath(new URL("..", import.meta.url));

/** A path inside the checkout. */
export const inCheckout = (...parts) => join(root, ...parts);
