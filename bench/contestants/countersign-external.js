import { createAuth } from "countersign/external";
import { adapt } from "./own.js";

export const create = adapt(createAuth, { wasm: "/core.wasm" });
