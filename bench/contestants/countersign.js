import { createAuth } from "countersign";
import { adapt } from "./own.js";

export const create = adapt(createAuth);
