// What the snippets of the documents leave to their reader.

declare const issuer: string;
declare const clientId: string;
declare const auth: import("countersign").Auth;

/** The file of an application that makes its client. */
declare module "*/auth" {
  export const auth: import("countersign").Auth;
}

/** Vite's. */
declare module "*?url" {
  const url: string;
  export default url;
}

/** node:assert. */
declare const assert: {
  equal(actual: unknown, expected: unknown): void;
  deepEqual(actual: unknown, expected: unknown): void;
};
