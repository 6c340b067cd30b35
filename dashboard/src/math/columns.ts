// The body of an answer to get_series as columns, without copying a point. Pure; knows no fetch and no chart.
// Format: docs/formats/series.md; `tests/golden/series.bin` is an example that Python wrote.

/** What the header says of one series; the fields of `SeriesInfo` that drawing needs. */
export interface SeriesMeta {
  key: string;
  n: number;
  exact: boolean;
  logged: number;
  stored: number;
  shown: number;
  bad: number;
  marks: readonly unknown[];
  runs: number;
  group: Readonly<Record<string, unknown>>;
  smoothed: boolean;
  /** The items next to a window, through which the line goes on; they count for nothing else. Those of groups have a band. */
  before?: Beside;
  after?: Beside;
}

type Beside = readonly [x: number, mean: number | null, min?: number | null, max?: number | null] | null;

export interface SetHeader {
  metric: string;
  x: string;
  lo: number | null;
  hi: number | null;
  missing: number;
  version: number;
}

/** One series: points if `exact` (then min, max are the mean itself and count is null), else buckets. */
export interface Columns {
  readonly meta: SeriesMeta;
  readonly x: Float64Array;
  readonly mean: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
  readonly count: Float64Array | null;
}

export interface SeriesSet {
  readonly header: SetHeader;
  readonly series: readonly Columns[];
}

const POINT_COLUMNS = 2;
const BUCKET_COLUMNS = 5;

/** Decode the body of one answer; the columns are views of it. Throws a RangeError if the header promises more or less than there is. */
export const decodeSeries = (body: ArrayBuffer): SeriesSet => decodeSeveral(body, 1)[0]!;

/** Decode the answers to several questions, one behind the other: columns are views of their own answer, so that each can be passed on alone. */
export function decodeSeveral(body: ArrayBuffer, count: number): SeriesSet[] {
  const sets: SeriesSet[] = [];
  let at = 0;
  while (sets.length < count) {
    const { metas, header, start } = headOf(body, at);
    let end = start;
    for (const meta of metas) {
      end += 8 * meta.n * columnsOf(meta);
      if (end > body.byteLength) throw new RangeError(`the body ends inside series ${meta.key}`);
    }
    sets.push({ header, series: count > 1 ? columnsIn(metas, body.slice(start, end), 0) : columnsIn(metas, body, start) });
    at = end;
  }
  if (at !== body.byteLength) throw new RangeError(`${body.byteLength - at} bytes are left over`);
  return sets;
}

/** A value of an item beside a window: x, mean, min or max. */
export const valueBeside = (item: NonNullable<Beside>, at: 0 | 1 | 2 | 3): number =>
  (at < item.length ? item[at] : item[1]) ?? Number.NaN;

/** The columns with the items beside their window, as a line is drawn. */
export function withBeside(columns: Columns): Columns {
  const { before, after } = columns.meta;
  if (!before && !after) return columns;
  const wide = (column: Float64Array, at: 0 | 1 | 2 | 3) => {
    const out = new Float64Array(column.length + (before ? 1 : 0) + (after ? 1 : 0));
    out.set(column, before ? 1 : 0);
    if (before) out[0] = valueBeside(before, at);
    if (after) out[out.length - 1] = valueBeside(after, at);
    return out;
  };
  const [x, mean] = [wide(columns.x, 0), wide(columns.mean, 1)];
  if (!columns.count) return { ...columns, x, mean, min: mean, max: mean };
  return { ...columns, x, mean, min: wide(columns.min, 2), max: wide(columns.max, 3) };
}

const columnsOf = (meta: SeriesMeta) => (meta.exact ? POINT_COLUMNS : BUCKET_COLUMNS);

function headOf(body: ArrayBuffer, at: number): { header: SetHeader; metas: SeriesMeta[]; start: number } {
  if (body.byteLength < at + 4) throw new RangeError("a series body has at least four bytes");
  const start = at + 4 + new DataView(body).getUint32(at, true);
  if (start > body.byteLength || start % 8) throw new RangeError(`the header ends at ${start} of ${body.byteLength} bytes`);
  const text = new TextDecoder().decode(new Uint8Array(body, at + 4, start - at - 4));
  const { series: metas, ...header } = JSON.parse(text) as SetHeader & { series: SeriesMeta[] };
  return { header, metas, start };
}

function columnsIn(metas: readonly SeriesMeta[], body: ArrayBuffer, start: number): Columns[] {
  let at = start;
  return metas.map((meta) => {
    const column = () => {
      at += 8 * meta.n;
      return new Float64Array(body, at - 8 * meta.n, meta.n);
    };
    const [x, mean] = [column(), column()];
    if (meta.exact) return { meta, x, mean, min: mean, max: mean, count: null };
    return { meta, x, mean, min: column(), max: column(), count: column() };
  });
}
