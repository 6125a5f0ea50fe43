// That axios' own types are enough of an instance. Compiled, not run.

import axios from "axios";
import { createAuth } from "countersign";
import { authorizeAxios } from "countersign/axios";

const auth = createAuth({ issuer: "https://id.example", clientId: "spa" });
const client = axios.create({ baseURL: "https://api.example/v1" });
export const end: () => void = authorizeAxios(client, auth);
authorizeAxios(axios, auth);

// @ts-expect-error no axios
authorizeAxios(fetch, auth);
