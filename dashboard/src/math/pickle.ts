// What a pickle mentions, by reading its opcodes as text: nothing in it is built, imported or called. Pure.
// Opcodes: CPython's Lib/pickletools.py, protocols 0 to 5.

export interface PickleSummary {
  protocol: number;
  /** Whole pickles one after another in the file. */
  pickles: number;
  /** Classes and functions it would import: "numpy.core.multiarray._reconstruct". */
  globals: string[];
  /** The first texts in it: keys of dicts, mostly. */
  texts: string[];
  /** Whether the summary ends before the file does. */
  cut: boolean;
}

/** Bytes of a fixed argument, by opcode; negative: the length stands first, in so many bytes. */
const ARGUMENT: Record<string, number> = {
  "\x80": 1, K: 1, M: 2, J: 4, G: 8, h: 1, j: 4, q: 1, r: 4, "\x82": 1, "\x83": 2, "\x84": 4, "\x95": 8,
  U: -1, C: -1, "\x8a": -1, "\x8c": -1, T: -4, B: -4, X: -4, "\x8b": -4, "\x8d": -8, "\x8e": -8, "\x96": -8,
}; // biome-ignore format: a table
const LINES = new Set(["F", "I", "L", "S", "V", "P", "g", "p"]);
const PLAIN = new Set([..."(.012NQR]Zaebdlostu}\x81\x85\x86\x87\x88\x89\x8f\x90\x91\x92\x93\x94\x97\x98)"]);
const TEXTS = new Set(["\x8c", "X", "\x8d", "U", "T"]);
const MOST = 40;

/** Read opcodes until the end, or until one that is none (then the file is no pickle: null). */
export function pickleSummary(body: ArrayBuffer, whole = true): PickleSummary | null {
  const bytes = new Uint8Array(body);
  const found: PickleSummary = { protocol: 0, pickles: 0, globals: [], texts: [], cut: !whole };
  const recent: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    const op = String.fromCharCode(bytes[at++]!);
    const [start, stop] = argument(op, bytes, at);
    if (stop < 0) return found.pickles || found.cut ? found : null;
    if (stop > bytes.length) return { ...found, cut: true };
    note(op, bytes.subarray(start, stop), found, recent);
    at = stop;
  }
  return found.pickles ? found : found.cut ? found : null;
}

/** Where the argument of an opcode lies; [.., −1] if there is no such opcode. */
function argument(op: string, bytes: Uint8Array, at: number): [start: number, stop: number] {
  if (LINES.has(op)) return [at, lineEnd(bytes, at)];
  if (op === "c" || op === "i") return [at, lineEnd(bytes, lineEnd(bytes, at))];
  if (PLAIN.has(op)) return [at, at];
  const size = ARGUMENT[op];
  if (size === undefined) return [at, -1];
  if (size > 0) return [at, at + size];
  let length = 0;
  for (let i = -size - 1; i >= 0; i--) length = length * 256 + (bytes[at + i] ?? 0);
  return [at - size, at - size + length];
}

function lineEnd(bytes: Uint8Array, at: number): number {
  const end = bytes.indexOf(10, at);
  return end < 0 ? bytes.length + 1 : end + 1;
}

function note(op: string, argument: Uint8Array, found: PickleSummary, recent: string[]): void {
  if (op === "\x80") found.protocol = Math.max(found.protocol, argument[0]!);
  else if (op === ".") found.pickles++;
  else if (op === "c") add(found.globals, new TextDecoder().decode(argument).trim().replace("\n", "."));
  else if (op === "\x93") add(found.globals, recent.slice(-2).join("."));
  else if (TEXTS.has(op) && argument.length < 200) {
    const text = new TextDecoder().decode(argument);
    recent.push(text);
    if (recent.length > 8) recent.shift();
    add(found.texts, text);
  }
}

function add(list: string[], text: string): void {
  if (list.length < MOST && !list.includes(text)) list.push(text);
}
