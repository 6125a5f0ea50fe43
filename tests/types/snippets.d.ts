// What the snippets of the documents leave to their reader.

declare const issuer: string;
declare const clientId: string;
declare const auth: import("countersign").Auth;

/** The file of an application that makes its client. */
declare module "*/auth" {
  export const auth: import("countersign").Auth;
}

/** Svelte's runes, which are no imports, and SvelteKit's. */
declare function $props(): { readonly children: () => never };
declare module "$app/navigation" {
  export function goto(
    url: string,
    options?: { readonly replaceState?: boolean },
  ): Promise<void>;
}

/** Components of an application in Angular. */
declare module "*/app/app" {
  export const App: import("@angular/core").Type<unknown>;
}
declare module "*/app/orders" {
  export const Orders: import("@angular/core").Type<unknown>;
}

/** A component of an application in Vue. */
declare module "*.vue" {
  const component: import("vue").Component;
  export default component;
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
