// Bytes as text, and what is odd about them. Pure; knows no file.

export interface Decoded {
  text: string;
  /** What a reader should know: another encoding, bytes that are no text. */
  note: string;
}

/** Read bytes as UTF-8, or as UTF-16 where its mark stands first. `whole` is false where the bytes were cut off, perhaps within a letter. */
export function decoded(data: ArrayBuffer, whole = true): Decoded {
  const [first, second] = new Uint8Array(data);
  if (first === 0xff && second === 0xfe) return { text: new TextDecoder("utf-16le").decode(data), note: "UTF-16" };
  if (first === 0xfe && second === 0xff) return { text: new TextDecoder("utf-16be").decode(data), note: "UTF-16" };
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(data, { stream: !whole }), note: "" };
  } catch {
    const text = new TextDecoder().decode(data);
    const line = text.slice(0, text.indexOf("\ufffd")).split("\n").length;
    return { text, note: `Not UTF-8: bytes that are no text stand as \ufffd, first in line ${line}.` };
  }
}

/** A JSON text in lines, or as it is with the reason why it is none. */
export function prettyJson(text: string): Decoded {
  try {
    return { text: JSON.stringify(JSON.parse(text), null, 2), note: "" };
  } catch (error) {
    return { text, note: `Not JSON: ${error instanceof Error ? error.message : error}` };
  }
}
