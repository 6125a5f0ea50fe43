// Tells the page's server which refresh tokens have arrived here. Runs before everything else.
{
  const send = window.fetch.bind(window);
  window.fetch = async (input, init) => {
    const response = await send(input, init);
    const { pathname } = new URL(input.url ?? input, location.href);
    if (!pathname.endsWith("/token") || !response.ok) return response;
    tell(response.clone()).catch(() => {});
    return response;
  };

  async function tell(response) {
    const { refresh_token } = await response.json();
    // A turn later: what keeps a token in the turn of its answer has kept it by then.
    setTimeout(() => navigator.sendBeacon("/arrived", refresh_token));
  }
}
