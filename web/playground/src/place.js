// Where somebody is, in the fragment of the address: it never leaves the browser, and a link has all of it.
// The text of a spec is compressed; what is longer than bounds allow is not kept, and nothing unpacks to more.

export const MOST_PACKED = 16_000;
export const MOST_TEXT = 200_000;

async function through(bytes, transform, most) {
  const reader = new Blob([bytes]).stream().pipeThrough(transform).getReader();
  const parts = [];
  for (let size = 0; ; ) {
    const { value, done } = await reader.read();
    if (done) break;
    size += value.length;
    if (size > most) {
      await reader.cancel();
      return null;
    }
    parts.push(value);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

const base64 = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));

/** A text as a part of an address; null where it is too long for one. */
export async function packed(text) {
  if (text.length > MOST_TEXT) return null;
  const bytes = await through(new TextEncoder().encode(text), new CompressionStream("deflate-raw"), MOST_PACKED);
  return bytes && base64(bytes).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The text again; null where it is none. */
export async function unpacked(text) {
  if (text.length > MOST_PACKED * 1.4 || !/^[\w-]*$/.test(text)) return null;
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const found = await through(bytes, new DecompressionStream("deflate-raw"), 4 * MOST_TEXT);
    return found && new TextDecoder("utf-8", { fatal: true }).decode(found);
  } catch {
    return null;
  }
}

/** The fragment of a place: names and texts. */
export function written(place) {
  const known = Object.entries(place).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return known.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&");
}

/** The place of a fragment. */
export function read(fragment) {
  const place = {};
  for (const part of fragment.replace(/^#/, "").split("&").slice(0, 20)) {
    const [name, value = ""] = part.split("=", 2);
    try {
      if (/^[a-z]+$/.test(name)) place[name] = decodeURIComponent(value);
    } catch {
      // A part that is cut off says nothing.
    }
  }
  return place;
}
