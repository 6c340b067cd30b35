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
}

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

/** Decode a body; the columns are views of it. Throws a RangeError if the header promises more or less than there is. */
export function decodeSeries(body: ArrayBuffer): SeriesSet {
  if (body.byteLength < 4) throw new RangeError("a series body has at least four bytes");
  let at = 4 + new DataView(body).getUint32(0, true);
  if (at > body.byteLength || at % 8) throw new RangeError(`the header ends at ${at} of ${body.byteLength} bytes`);
  const text = new TextDecoder().decode(new Uint8Array(body, 4, at - 4));
  const { series: metas, ...header } = JSON.parse(text) as SetHeader & { series: SeriesMeta[] };
  const series = metas.map((meta) => {
    const columns = meta.exact ? POINT_COLUMNS : BUCKET_COLUMNS;
    if (at + 8 * meta.n * columns > body.byteLength) throw new RangeError(`the body ends inside series ${meta.key}`);
    const column = (index: number) => new Float64Array(body, at + 8 * meta.n * index, meta.n);
    const [x, mean] = [column(0), column(1)];
    const decoded: Columns = meta.exact
      ? { meta, x, mean, min: mean, max: mean, count: null }
      : { meta, x, mean, min: column(2), max: column(3), count: column(4) };
    at += 8 * meta.n * columns;
    return decoded;
  });
  if (at !== body.byteLength) throw new RangeError(`${body.byteLength - at} bytes are left over`);
  return { header, series };
}
