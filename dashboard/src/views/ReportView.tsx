// README.md of the page's folder or run, with live charts in it. Knows the text, not how it came there.
import { useQuery } from "@tanstack/react-query";
import { Fragment, lazy, Suspense } from "react";
import { getRun, listMetrics } from "../api/queries";
import { ChartCard } from "../charts/ChartCard";
import { Tooltip } from "../charts/Tooltip";
import { piecesOf } from "../math/report";
import { nameOf, useVisibleRuns } from "../state/runs";
import { useView } from "../state/view";
import styles from "./Report.module.css";

const Prose = lazy(() => import("./Prose"));

export default function ReportView() {
  const prefix = useView((view) => view.prefix);
  const pinned = useView((view) => view.pinned);
  const own = useQuery(getRun(prefix));
  const other = useQuery({ ...getRun(pinned ?? ""), enabled: pinned !== null });
  if (own.isPending) return null;
  const detail = own.data?.readme ? own.data : other.data;
  if (!detail?.readme) return <NoReport name={nameOf(prefix)} />;
  return (
    <article aria-label={`Report of ${nameOf(detail.key) || "all runs"}`} className={styles.report}>
      {piecesOf(detail.readme).map((piece, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no other name
        <Fragment key={`${at}${piece.kind}`}>
          {piece.kind === "prose" ? (
            <Suspense fallback={null}>
              <Prose text={piece.text} base={detail.key} />
            </Suspense>
          ) : (
            <Charts metrics={piece.metrics} />
          )}
        </Fragment>
      ))}
      <Tooltip />
    </article>
  );
}

function Charts({ metrics }: { metrics: readonly string[] }) {
  const { keys } = useVisibleRuns();
  const { data } = useQuery({ ...listMetrics([...keys], "", ""), enabled: keys.length > 0 });
  const have = new Map(data?.metrics.map((metric) => [metric.name, metric.runs]));
  return (
    <div className={styles.charts}>
      {metrics.map((metric) =>
        !data || have.has(metric) ? (
          <ChartCard key={metric} metric={metric} keys={keys} have={have.get(metric) ?? 0} of={data?.of ?? keys.length} loose />
        ) : (
          <p key={metric}>No shown run has {metric}.</p>
        ),
      )}
    </div>
  );
}

function NoReport({ name }: { name: string }) {
  return (
    <div className={styles.nothing}>
      <p>{name ? `${name} has` : "This folder has"} no README.md yet.</p>
      <pre>{'logger.log_text("""# What this run shows\n```chart\ntrain/loss\n```\n""", "README.md", overwrite=True)'}</pre>
    </div>
  );
}
