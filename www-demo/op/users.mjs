/** The people who can sign in. The passwords are public on purpose: they guard nothing. */
export const users = [
  {
    login: "alice",
    password: "wonderland",
    claims: {
      sub: "alice",
      name: "Alice Liddell",
      given_name: "Alice",
      family_name: "Liddell",
      preferred_username: "alice",
      email: "alice@example.com",
      email_verified: true,
      locale: "en-GB",
    },
  },
  {
    login: "bob",
    password: "looking-glass",
    claims: {
      sub: "bob",
      name: "Bob Carroll",
      given_name: "Bob",
      family_name: "Carroll",
      preferred_username: "bob",
      email: "bob@example.com",
      email_verified: false,
      locale: "en-GB",
    },
  },
];

export function checkPassword(login, password) {
  return users.find(
    (user) => user.login === login && user.password === password,
  );
}

export function findUser(sub) {
  return users.find((user) => user.claims.sub === sub);
}
