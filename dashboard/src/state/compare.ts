// The runs that Compare draws, and its objective: all that match the query, with the parameters that vary. Knows no canvas.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { ask } from "../api/client";
import type { Column, Json, RunRow } from "../api/types";
import { numberOf } from "../ui/numbers";
import { own } from "../ui/own";
import { isAskable, isOfJob } from "./columns";
import { useFirstPage } from "./runs";
import { useView } from "./view";

export type Aspect = "last" | "min" | "max";

export interface Objective {
  metric: string;
  aspect: Aspect;
}

const MOST_RUNS = 2000;
const PAGE = 1000;
const MOST_PARAMS = 60;
const NONE: RunRow[] = [];
const NO_COLUMNS: Column[] = [];

/** All rows (at most MOST_RUNS) with their parameters and the given metrics. */
export function useCompareRuns(metrics: readonly string[]) {
  const q = useView((view) => view.q);
  const prefix = useView((view) => view.prefix);
  const { data: page } = useFirstPage();
  const columns = page?.columns ?? NO_COLUMNS;
  const params = columns
    .filter((column) => column.kind === "param" && !isOfJob(column.name))
    .slice(0, MOST_PARAMS)
    .map((column) => column.name);
  const numeric = columns.filter((column) => column.kind === "metric" && column.numeric).map((column) => column.name);
  const asked = [...params, ...metrics].filter(isAskable);
  const { data } = useQuery({
    queryKey: ["search_runs", "compare", q, prefix, asked],
    queryFn: async ({ signal }) => {
      const rows: RunRow[] = [];
      for (let offset = 0; offset < MOST_RUNS; offset += PAGE) {
        const answer = await ask({ type: "search_runs", q, prefix, offset, limit: PAGE, columns: asked }, signal);
        rows.push(...answer.rows);
        if (rows.length >= answer.total) break;
      }
      return rows;
    },
    enabled: page !== undefined,
    placeholderData: keepPreviousData,
  });
  return { rows: data ?? NONE, ready: data !== undefined, params, metrics: numeric, total: page?.total ?? 0 };
}

const GOOD = /acc|reward|return|score|f1|auc|r2|success/i;
const BAD = /loss|err|nll|perplexity|mse|mae/i;

/** The objective to begin with: what the table is sorted by, else something of the evaluation that is better when greater. */
export function firstObjective(metrics: readonly string[], sorted: string | null): Objective | null {
  const rank = (name: string) => (GOOD.test(name) ? 0 : BAD.test(name) ? 2 : 4) + (/eval|val|test/i.test(name) ? 0 : 1);
  const best = [...metrics].sort((a, b) => rank(a) - rank(b))[0];
  const metric = sorted !== null && metrics.includes(sorted) ? sorted : best;
  return metric === undefined ? null : { metric, aspect: "last" };
}

/** What an objective is called: "eval/acc", "eval/acc.max". */
export const labelOf = ({ metric, aspect }: Objective): string => (aspect === "last" ? metric : `${metric}.${aspect}`);

export const objectiveOf = (row: RunRow, { metric, aspect }: Objective): number | null =>
  finite(own(row.metrics, metric)?.[aspect]);

/** A parameter's value as a scalar: lists and the like become text. */
export function scalarOf(value: Json | undefined): number | string | boolean | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "string" || typeof value === "boolean") return value;
  return finite(value) ?? JSON.stringify(value);
}

function finite(value: unknown): number | null {
  const number = numberOf(value);
  return number !== undefined && Number.isFinite(number) ? number : null;
}
