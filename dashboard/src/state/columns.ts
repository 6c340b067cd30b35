// The run table's columns: which there are, in which order they stand at first, and what a cell shows. Pure; knows no element.

import type { Column, Json, MetricSummary, RunRow } from "../api/types";
import { shortValue } from "../ui/numbers";
import { own } from "../ui/own";
import type { Columns } from "./view";

export type Aspect = "last" | "min" | "max";

/** One column: `id` names it in addresses, `sort` in queries. */
export interface ColumnDef {
  id: string;
  title: string;
  kind: "param" | "metric" | "field";
  sort: string;
  numeric: boolean;
  width: number;
  /** The title as far as it tells the column from others: "lr" for "Args.lr". */
  short: string;
  /** The parameter's, metric's or field's name, and for metrics which of their summaries. */
  name: string;
  aspect: Aspect;
}

/** A column where it stands, in px from the table's left edge; `at` is its number from 1, as a screen reader counts: the name is the first. */
export interface PlacedCell {
  column: ColumnDef;
  start: number;
  at: number;
}

const FIELDS: readonly [name: string, title: string, numeric: boolean, width: number][] = [
  ["status", "status", false, 92],
  ["folder", "folder", false, 150],
  ["created", "created", true, 116],
  ["duration", "duration", true, 96],
  ["tags", "tags", false, 110],
  ["host", "host", false, 100],
  ["notes", "notes", false, 140],
  ["points", "points", true, 76],
];

const named = (
  title: string,
  kind: ColumnDef["kind"],
  numeric: boolean,
  more: Pick<ColumnDef, "id"> & Partial<ColumnDef>,
): ColumnDef => {
  const short = more.short ?? title;
  return { title, kind, numeric, short, name: title, sort: title, aspect: "last", width: widthOf(short), ...more };
};
const field = ([name, title, numeric, width]: (typeof FIELDS)[number]): ColumnDef =>
  named(title, "field", numeric, { id: `f:${name}`, sort: name === "folder" ? "key" : name, name, width });
/** A long name by its last parts, which tell it from its neighbours: "layers/12/attn/w_norm" → "…attn/w_norm". */
function tailOf(name: string): string {
  if (name.length <= LONG_TITLE) return name;
  const parts = name.split("/");
  let tail = parts.pop()!;
  while (parts.length && parts.at(-1)!.length + 1 + tail.length < LONG_TITLE) tail = `${parts.pop()}/${tail}`;
  return parts.length ? `…${tail}` : tail;
}

const LONG_TITLE = 14;
const metric = ({ name, numeric }: Column, aspect: Aspect): ColumnDef =>
  aspect === "last"
    ? named(name, "metric", numeric, { id: `m:${name}`, short: tailOf(name) })
    : named(`${name} ${aspect}`, "metric", numeric, { id: `m:${name}.${aspect}`, sort: `${name}.${aspect}`, name, aspect });

/** The end of each name where only one ends so, else all of it: "lr" for "Args.lr". */
export function shortNames(names: readonly string[]): Map<string, string> {
  const endOf = (name: string) => name.slice(name.lastIndexOf(".") + 1);
  const ends = new Map<string, number>();
  for (const name of names) ends.set(endOf(name), (ends.get(endOf(name)) ?? 0) + 1);
  return new Map(names.map((name) => [name, ends.get(endOf(name)) === 1 ? endOf(name) : name]));
}

/** Parameters, whose short title is the end of their name where only one ends so. */
function params(columns: readonly Column[], rows: readonly RunRow[]): [varying: ColumnDef[], constant: ColumnDef[]] {
  const shorts = shortNames(columns.map(({ name }) => name));
  const varying: ColumnDef[] = [];
  const constant: ColumnDef[] = [];
  for (const { name, kind, numeric } of columns) {
    if (kind !== "param") continue;
    const short = shorts.get(name)!;
    (varies(name, rows) && !isOfJob(name) ? varying : constant).push(named(name, "param", numeric, { id: `p:${name}`, short }));
  }
  return [varying.sort((a, b) => rankOf(a.short) - rankOf(b.short)), constant];
}

/** What is tuned first stands first; all else as it was logged. */
const rankOf = (short: string): number => (/(^|[._])(lr|learning_rate)$/.test(short) ? 0 : 1);

/** What the job writes of itself is no setting: when it ended, and how, and of which commit it is. */
export const isOfJob = (name: string): boolean => /^(job|revision)\./.test(name);

/** Room for the title (long ones are cut) and the sort mark, and for the longest of the first values, within reason. */
const widthOf = (title: string, longest = 0) =>
  Math.round(Math.min(150, Math.max(52, Math.min(title.length * 6.2 + 24, 96), longest * 7.8 + 18)));

/** What differs from the pinned run; there only while one is pinned. */
export const DIFFERENCE: ColumnDef = field(["diff", "differs from pinned", false, 210]);

/** Rows whose values are looked at for the width of a column. */
const SAMPLE = 40;

/** Room for a run's name (and its folder, where that stands beside it), within reason, so that the first columns are in sight. */
export function nameWidthOf(rows: readonly RunRow[], prefix: string): number {
  const folders = areAmbiguous(rows);
  const widths = rows
    .slice(0, SAMPLE)
    .map((row) => 46 + 7.2 * (row.name || row.key).length + (folders ? 8 + 6 * folderOf(row.key, prefix).length : 0));
  return Math.round(Math.min(220, Math.max(132, ...widths)));
}

const fitted = (column: ColumnDef, rows: readonly RunRow[]) =>
  widthOf(column.short, Math.max(0, ...rows.map((row) => textOf(column, row).length)));

/** A parameter or metric as a cell shows it. */
export function textOf(column: ColumnDef, row: RunRow): string {
  const value = cellOf(column, row);
  return value === undefined ? "" : shortValue(value, column.kind === "metric");
}

/** How many parameters stand before the first metric, so that both are in sight. */
const FIRST_PARAMS = 2;

/** All columns there can be, in the order they stand at first: what varies and metrics, then the rest. */
export function allColumns(columns: readonly Column[], rows: readonly RunRow[]): ColumnDef[] {
  const metrics = columns.filter((column) => column.kind === "metric");
  const [varying, constant] = params(columns, rows);
  const all = [
    ...varying.slice(0, FIRST_PARAMS),
    ...metrics.filter((column) => column.numeric).map((column) => metric(column, "last")),
    ...varying.slice(FIRST_PARAMS),
    ...metrics.filter((column) => !column.numeric).map((column) => metric(column, "last")), // histograms and texts
    ...(severalFolders(rows) ? FIELDS : FIELDS.filter(([name]) => name !== "folder")).map(field),
    ...constant,
    ...metrics.filter((column) => column.numeric).flatMap((column) => [metric(column, "min"), metric(column, "max")]),
  ];
  const sample = rows.slice(0, SAMPLE);
  return all.map((column) => (column.kind === "field" ? column : { ...column, width: fitted(column, sample) }));
}

const severalFolders = (rows: readonly RunRow[]) => new Set(rows.map((row) => folderOf(row.key))).size > 1;

/** Whether runs of different folders have the same name, as seed-0 often is: then their folder stands beside it. */
export const areAmbiguous = (rows: readonly RunRow[]) => new Set(rows.map((row) => row.name || row.key)).size < rows.length;

function varies(name: string, rows: readonly RunRow[]): boolean {
  const first = JSON.stringify(rows[0] && own(rows[0].params, name));
  return rows.some((row) => JSON.stringify(own(row.params, name)) !== first);
}

/** Among groups a column that they are made of says nothing more, and "mean ± std" takes room. */
export const underGroups = (columns: readonly ColumnDef[], by: readonly string[]): ColumnDef[] =>
  columns
    .filter((column) => column.kind !== "param" || !by.includes(column.name))
    .map((column) => (column.kind === "metric" ? { ...column, width: Math.max(column.width, 124) } : column));

/** The columns that are shown: the user's choice, else all but the min and max of metrics. */
export function shownColumns(all: readonly ColumnDef[], chosen: Columns | null): ColumnDef[] {
  const byId = new Map(all.map((column) => [column.id, column]));
  const shown = chosen?.order.length
    ? chosen.order.map((id) => byId.get(id)).filter((column) => column !== undefined)
    : all.filter((column) => column.aspect === "last");
  return chosen ? shown.map((column) => ({ ...column, width: chosen.widths[column.id] ?? column.width })) : shown;
}

/** The layout with one column moved to where another stands: before it from the right, after it from the left. */
export function moved(columns: Columns, id: string, place: string): Columns {
  const from = columns.order.indexOf(id);
  const to = columns.order.indexOf(place);
  if (from < 0 || to < 0) return columns;
  const order = columns.order.filter((other) => other !== id);
  return { ...columns, order: [...order.slice(0, to), id, ...order.slice(to)] };
}

/** The layout with one column of another width; `null` is the width at first. */
export function resized(columns: Columns | null, id: string, width: number | null): Columns {
  const { [id]: _, ...others } = columns?.widths ?? {};
  const widths = width === null ? others : { ...others, [id]: Math.max(LEAST_WIDTH, Math.round(width)) };
  return { order: columns?.order ?? [], widths };
}

const LEAST_WIDTH = 44;

/** A question has a limit of 1 MiB: names longer than any reader's patience stay out of it, and their cells empty. */
export const isAskable = (name: string): boolean => name.length <= 1000;

/** Parameters and metrics of the shown columns `first` … `last`, to whole blocks, so that a little scrolling asks for nothing new. */
export function namesInSight(columns: readonly ColumnDef[], first: number, last: number): string[] {
  const inside = columns.slice(first - (first % BLOCK), last + BLOCK - (last % BLOCK));
  const names = inside.filter((column) => column.kind !== "field" && column.name.length <= LONGEST_NAME);
  return [...new Set(names.map((column) => column.name))];
}

const BLOCK = 12;
/** A question that names a megabyte is refused; such a column stays empty. */
const LONGEST_NAME = 4000;

/** What a cell holds: a JSON value, or undefined if the run lacks it. */
export function cellOf(column: ColumnDef, row: RunRow): Json | undefined {
  if (column.kind === "param") return own(row.params, column.name);
  if (column.kind === "metric") return own(row.metrics, column.name)?.[column.aspect as keyof MetricSummary];
  if (column.name === "folder") return folderOf(row.key);
  return row[column.name as keyof RunRow] as Json;
}

/** A run's folder; as seen from `prefix`, if it lies below. */
export function folderOf(key: string, prefix = ""): string {
  const folder = key.slice(0, Math.max(0, key.lastIndexOf("/")));
  if (!prefix) return folder;
  return folder === prefix ? "" : folder.startsWith(`${prefix}/`) ? folder.slice(prefix.length + 1) : folder;
}

/** The parameters in which a run differs from the pinned one, as "lr 1e-3 → 3e-4", by the end of their names. */
export function differences(row: RunRow, pinned: RunRow, show: (value: unknown) => string): string[] {
  const names = [...new Set([...Object.keys(pinned.params), ...Object.keys(row.params)])].filter((name) => !isOfJob(name));
  return names
    .filter((name) => JSON.stringify(own(row.params, name)) !== JSON.stringify(own(pinned.params, name)))
    .map((name) => `${name.slice(name.lastIndexOf(".") + 1)} ${show(own(pinned.params, name))} → ${show(own(row.params, name))}`);
}
