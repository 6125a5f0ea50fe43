/** No SDK at all: what the others are measured above. */
export const create = () => ({ start: async () => {}, signedIn: () => false });
