/** The same client; `counts.subscribers` says how many listen to it. */
export function counted(auth, counts) {
  const subscribe = (listener) => {
    counts.subscribers += 1;
    const end = auth.subscribe(listener);
    return () => {
      counts.subscribers -= 1;
      end();
    };
  };
  return new Proxy(auth, {
    get: (client, key) => (key === "subscribe" ? subscribe : client[key]),
  });
}
