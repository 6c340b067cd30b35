// What a NumPy file holds, by its header: dtype, shape, the first numbers. Pure; reads plain numbers only, never objects.

export interface NpySummary {
  dtype: string;
  shape: number[];
  fortran: boolean;
  /** The first values, or null where they are no plain numbers. */
  values: number[] | null;
  /** How many bytes the whole file has, as its header says; null where that is not known. */
  end: number | null;
}

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]; // \x93NUMPY

/** Read the header of a .npy file; null if it is none. */
export function npySummary(body: ArrayBuffer, most = 64): NpySummary | null {
  const bytes = new Uint8Array(body);
  if (bytes.length < 12 || MAGIC.some((byte, at) => bytes[at] !== byte)) return null;
  const view = new DataView(body);
  const wide = bytes[6]! > 1;
  const start = wide ? 12 : 10;
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  const header = new TextDecoder("latin1").decode(bytes.subarray(start, start + length));
  if (!/'descr':/.test(header) || !/'shape':\s*\(/.test(header)) return null;
  const dtype = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? "structured";
  const shape = (/'shape':\s*\(([^)]*)\)/.exec(header)?.[1] ?? "")
    .split(",")
    .map((part) => part.trim())
    .filter(Boolean)
    .map(Number);
  const fortran = /'fortran_order':\s*True/.test(header);
  const size = Number(/^[<>|=][a-zA-Z](\d+)$/.exec(dtype)?.[1] ?? Number.NaN) * (dtype[1] === "U" ? 4 : 1);
  const end = dtype[1] === "O" || Number.isNaN(size) ? null : start + length + shape.reduce((a, b) => a * b, size);
  return { dtype, shape, fortran, values: numbers(view, start + length, dtype, most), end };
}

type Reader = (view: DataView, at: number, little: boolean) => number;

const READERS: Record<string, [size: number, read: Reader]> = {
  f8: [8, (view, at, little) => view.getFloat64(at, little)],
  f4: [4, (view, at, little) => view.getFloat32(at, little)],
  i8: [8, (view, at, little) => Number(view.getBigInt64(at, little))],
  i4: [4, (view, at, little) => view.getInt32(at, little)],
  i2: [2, (view, at, little) => view.getInt16(at, little)],
  i1: [1, (view, at) => view.getInt8(at)],
  u8: [8, (view, at, little) => Number(view.getBigUint64(at, little))],
  u4: [4, (view, at, little) => view.getUint32(at, little)],
  u2: [2, (view, at, little) => view.getUint16(at, little)],
  u1: [1, (view, at) => view.getUint8(at)],
  b1: [1, (view, at) => view.getUint8(at)],
};

function numbers(view: DataView, start: number, dtype: string, most: number): number[] | null {
  const reader = Object.hasOwn(READERS, dtype.slice(1)) ? READERS[dtype.slice(1)] : undefined;
  if (!reader) return null;
  const [size, read] = reader;
  const count = Math.min(most, Math.floor((view.byteLength - start) / size));
  return Array.from({ length: Math.max(0, count) }, (_, i) => read(view, start + i * size, dtype[0] !== ">"));
}

/** Names and sizes of the members of a zip (an .npz) that lies whole in `body`, by its central directory; null if it is none. */
export function zipMembers(body: ArrayBuffer): { name: string; size: number }[] | null {
  const view = new DataView(body);
  let end = body.byteLength - 22;
  while (end >= 0 && view.getUint32(end, true) !== 0x06054b50) end--;
  if (end < 0) return null;
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  const members: { name: string; size: number }[] = [];
  for (let i = 0; i < count && at + 46 <= end && view.getUint32(at, true) === 0x02014b50; i++) {
    const [name, extra, comment] = [28, 30, 32].map((offset) => view.getUint16(at + offset, true)) as [number, number, number];
    members.push({ name: new TextDecoder().decode(new Uint8Array(body, at + 46, name)), size: view.getUint32(at + 24, true) });
    at += 46 + name + extra + comment;
  }
  return members;
}
