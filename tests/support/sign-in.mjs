// A sign-in at the provider without a browser.

/** Goes the way through the provider's pages, as a browser that has no cookie of it, and gives the response to the login. */
export async function authorize(request, issuer, user) {
  const passwords = { alice: "wonderland", bob: "looking-glass" };
  const cookies = new Map();
  let [url, init] = [request, {}];
  for (let step = 0; step < 10; step += 1) {
    const cookie = [...cookies].map((pair) => pair.join("=")).join("; ");
    const response = await fetch(url, {
      ...init,
      redirect: "manual",
      headers: { cookie },
    });
    for (const line of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line);
      cookies.set(name, value);
    }
    const location = response.headers.get("location");
    if (location) {
      [url, init] = [new URL(location, url).href, {}];
      if (new URL(url).origin !== issuer) return url;
    } else {
      const body = new URLSearchParams({
        login: user,
        password: passwords[user],
      });
      [url, init] = [`${url}/login`, { method: "POST", body }];
    }
  }
  throw new Error("the provider asks for more than a name and a password");
}
