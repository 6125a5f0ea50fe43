// A new tab asks those that are there for the session; loaded only where `shareWithNewTabs` is on.
//
// The question has a public key, and so has each answer: what is derived from the two (ECDH on P-256, HKDF with SHA-256)
// seals the stored record (AES-GCM) for the tab that asked. So nobody reads along; but any script of the origin can ask.

import type { NormalOptions } from "./options.js";
import type { Auth, AuthStorage } from "./types.js";

/** So long a new tab waits to hear that there is a session, and so long then for the session; in milliseconds. */
const PATIENCE = { promise: 400, answer: 2000 };

const CURVE = { name: "ECDH", namedCurve: "P-256" };

/** A question, with `key` alone; the promise of an answer to the one of this `id`, without; the answer, with both. */
interface Message {
  readonly id: string;
  readonly key?: ArrayBuffer;
  readonly sealed?: ArrayBuffer;
}

/** Answers new tabs until `end`; with `asks` it asks first, and settles when the session is stored or nobody gave one. */
export async function share(
  client: { readonly auth: Auth<unknown>; readonly normal: NormalOptions },
  isRecord: (text: string) => boolean,
  end: AbortSignal,
  asks: boolean,
): Promise<void> {
  const { auth, normal } = client;
  const { key: name } = normal;
  const storage = normal.storage as AuthStorage;
  const seen = name.replace("session", "seen");
  let channel: BroadcastChannel | undefined;
  let answered = async (_: Message): Promise<void> => {};
  let promised = false;

  /** The record, while there is a session to hand over. */
  const session = () =>
    !end.aborted && auth.state.status === "signedIn" && storage.getItem(name);

  const answer = async (id: string, asked: ArrayBuffer) => {
    if (!session()) return;
    // Keys take a busy machine longer than a new tab waits for who may not be there.
    channel?.postMessage({ id });
    const { privateKey, key } = await makePair();
    const sealing = await agree(privateKey, asked, [name, id, asked, key]);
    const text = new TextEncoder().encode(session() || "");
    const sealed = await crypto.subtle.encrypt(...sealing, text);
    // It may have ended meanwhile.
    if (session()) channel?.postMessage({ id, key, sealed });
  };

  const ask = async ({ privateKey, key: asked }: Pair) => {
    const id = crypto.randomUUID();
    const given = new Promise<string>((resolve) => {
      answered = async ({ id: to, key, sealed }) => {
        // Another's would not open.
        if (to !== id) return;
        promised = true;
        if (!key || !sealed) return;
        const sealing = await agree(privateKey, key, [name, id, asked, key]);
        const bytes = await crypto.subtle.decrypt(...sealing, sealed);
        const text = new TextDecoder().decode(bytes);
        if (isRecord(text)) resolve(text);
      };
    });
    channel?.postMessage({ id, key: asked });
    const text = await given;
    // A login or a logout that came first has its way.
    if (end.aborted || auth.state.status !== "loading") return;
    storage.setItem(name, text);
  };

  const close = () => {
    channel?.close();
    channel = undefined;
  };
  const open = () => {
    channel ??= new BroadcastChannel(name);
    channel.onmessage = ({ data }: MessageEvent<Message>) => {
      const heard =
        data?.key && !data.sealed ? answer(data.id, data.key) : answered(data);
      // What is no message of ours fails, and that is all.
      heard.catch(() => {});
    };
  };

  open();
  // An open channel would keep the page out of the back/forward cache.
  addEventListener("pagehide", close, { signal: end });
  addEventListener("pageshow", open, { signal: end });
  end.addEventListener("abort", close);
  // A tab that has had a session is not new: it does not come back from a logout by another user's session.
  if (asks && !storage.getItem(seen)) {
    const pair = await makePair();
    const late = pause(PATIENCE.promise).then(() =>
      promised ? pause(PATIENCE.answer) : undefined,
    );
    await Promise.race([ask(pair), late]);
    answered = async () => {};
  }
  auth.subscribe(({ status }) => {
    try {
      if (status === "signedIn") storage.setItem(seen, "1");
    } catch {
      // Full: then it may ask again.
    }
  });
}

const pause = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

type Pair = Awaited<ReturnType<typeof makePair>>;

async function makePair() {
  const usages: KeyUsage[] = ["deriveBits"];
  const pair = await crypto.subtle.generateKey(CURVE, false, usages);
  const { privateKey, publicKey } = pair as CryptoKeyPair;
  const key = await crypto.subtle.exportKey("raw", publicKey);
  return { privateKey, key };
}

/** The cipher for one answer: bound to it, to its question, and to the client by name. */
async function agree(
  own: CryptoKey,
  peer: ArrayBuffer,
  about: BlobPart[],
): Promise<[AesGcmParams, CryptoKey]> {
  const { subtle } = crypto;
  const peerKey = await subtle.importKey("raw", peer, CURVE, false, []);
  const shared = await subtle.deriveBits(
    { name: "ECDH", public: peerKey },
    own,
    256,
  );
  const secret = await subtle.importKey("raw", shared, "HKDF", false, [
    "deriveKey",
  ]);
  const key = await subtle.deriveKey(
    {
      name: "HKDF",
      hash: "SHA-256",
      salt: new Uint8Array(),
      info: await new Blob(about).arrayBuffer(),
    },
    secret,
    { name: "AES-GCM", length: 256 },
    false,
    ["encrypt", "decrypt"],
  );
  // Each key seals one text, so that the nonce is never used with it again (NIST SP 800-38D §8).
  return [{ name: "AES-GCM", iv: new Uint8Array(12) }, key];
}
