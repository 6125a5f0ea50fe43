// Knows the memories of the wasm instances of the page, for who asks how large they are. Runs before everything else.
{
  const memories = new Set();
  const seen = (instance) => {
    for (const one of Object.values(instance.exports))
      if (one instanceof WebAssembly.Memory) memories.add(new WeakRef(one));
    return instance;
  };
  WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
    construct: (target, args) => seen(new target(...args)),
  });
  const { instantiate } = WebAssembly;
  WebAssembly.instantiate = async (...args) => {
    const made = await instantiate(...args);
    seen(made.instance ?? made);
    return made;
  };
  window.wasmBytes = () =>
    [...memories].reduce(
      (sum, memory) => sum + (memory.deref()?.buffer.byteLength ?? 0),
      0,
    );
}
