// The `sort:` term of a query, which is the table's order: reading it, and what a click on a header makes of it. Pure.
import { withoutSort } from "./view";

export interface Sort {
  name: string;
  descending: boolean;
}

const TERM = /(?:^|\s)sort:(-?)(`[^`]*`|"[^"]*"|[^\s,]+)/;

/** The first sort term of a query, or null. */
export function sortOf(q: string): Sort | null {
  const found = TERM.exec(q);
  if (!found) return null;
  return { name: found[2]!.replace(/^[`"]|[`"]$/g, ""), descending: found[1] === "-" };
}

/** The sort terms of a query as they stand there. */
export const sortTerms = (q: string): string[] =>
  [...q.matchAll(/(?<=^|\s)sort:-?(?:`[^`]*`|"[^"]*"|\S+)/g)].map((found) => found[0]);

/** A name as the query language writes it: in backticks if it holds blanks or signs. */
export const quoted = (name: string): string =>
  /^[^\s"'`()[\],:<>=!~-][^\s"'`()[\],:<>=!~]*$/.test(name) ? name : `\`${name}\``;

/** Whether the sort is by this column; the end of a dotted or slashed name is enough. */
export const sortsBy = (sort: Sort | null, column: string): boolean =>
  sort !== null && (sort.name === column || column.endsWith(`.${sort.name}`) || column.endsWith(`/${sort.name}`));

/** The query after a click on a header: ascending, then descending, then the default order. */
export function clickedHeader(q: string, column: string): string {
  const sort = sortOf(q);
  const rest = withoutSort(q);
  if (sort === null || !sortsBy(sort, column)) return `${rest} sort:${quoted(column)}`.trim();
  return sort.descending ? rest : `${rest} sort:-${quoted(column)}`.trim();
}
