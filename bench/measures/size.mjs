import { measure } from "../../scripts/bytes.mjs";

/** What a browser loads to sign in and get a token. */
export const size = {
  name: "size",
  title: "Transfer",
  unit: "bytes, brotli",
  digits: 0,
  better: "less",
  async run(contestants, { step }) {
    const sizes = await step({ name: "bundling", run: () => measure() });
    return {
      groups: [
        {
          name: "",
          rows: contestants.map(({ name, version, sized }) => ({
            name,
            version,
            numbers: [sizes[sized].total.brotli],
            more: {
              gzip: sizes[sized].total.gzip,
              raw: sizes[sized].total.raw,
              "before the state is known": sized.startsWith("countersign")
                ? sizes[sized].facade.brotli
                : "all",
            },
          })),
        },
      ],
    };
  },
};
