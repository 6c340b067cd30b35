// The report of the page's folder or run: what was written here, else its README.md, with live charts in it. Knows the text, not how charts are drawn.
import { useQuery } from "@tanstack/react-query";
import { Fragment, lazy, type RefObject, Suspense, useRef, useState } from "react";
import { command } from "../api/client";
import { getRun, getSaved, listMetrics, queryClient } from "../api/queries";
import { ChartCard } from "../charts/ChartCard";
import { Tooltip } from "../charts/Tooltip";
import { piecesOf } from "../math/report";
import { nameOf, useVisibleRuns } from "../state/runs";
import { useView } from "../state/view";
import controls from "../ui/controls.module.css";
import styles from "./Report.module.css";

const Prose = lazy(() => import("./Prose"));
/** The name under which a folder's or run's report is saved. */
const NAME = "report";

export default function ReportView() {
  const prefix = useView((view) => view.prefix);
  const report = useReport(prefix);
  const [draft, setDraft] = useState<string | null>(null);
  const [failed, setFailed] = useState("");
  const article = useRef<HTMLElement>(null);
  if (report === null) return null;
  const { key, text } = report;
  const title = nameOf(key) || "all runs";
  const save = async (next: string | null) => {
    await command({ type: "save", kind: "report", name: NAME, value: next || null, prefix });
    await queryClient.invalidateQueries({ queryKey: ["get_saved", "report"] });
    setDraft(null);
  };
  const act = (work: Promise<void>) => void work.then(() => setFailed(""), (error: Error) => setFailed(error.message)); // biome-ignore format: one line
  return (
    <>
      <div className={styles.bar}>
        {draft === null ? (
          <button type="button" className={controls.button} onClick={() => setDraft(text)}>
            {text ? "Edit report" : "Write a report"}
          </button>
        ) : (
          <>
            <button type="button" className={controls.button} onClick={() => act(save(draft))}>
              Save report
            </button>
            <button type="button" className={controls.button} onClick={() => setDraft(null)}>
              Cancel
            </button>
          </>
        )}
        {(draft ?? text) && (
          <button type="button" className={controls.button} onClick={() => act(exported(article.current!, title))}>
            Export HTML
          </button>
        )}
      </div>
      {failed && <p role="alert">{failed}</p>}
      {draft !== null && (
        <textarea
          aria-label="Report"
          className={styles.source}
          value={draft}
          spellCheck={false}
          onChange={(event) => setDraft(event.target.value)}
        />
      )}
      {(draft ?? text) ? (
        <Article text={draft ?? text} base={key} title={title} box={article} />
      ) : (
        <NoReport name={nameOf(prefix)} />
      )}
    </>
  );
}

/** What is shown: the saved report, else README.md of the page, else that of the pinned run; null while it is on its way. */
function useReport(prefix: string): { key: string; text: string } | null {
  const pinned = useView((view) => view.pinned);
  const saved = useQuery(getSaved("report", prefix, NAME));
  const own = useQuery(getRun(prefix));
  const other = useQuery({ ...getRun(pinned ?? ""), enabled: pinned !== null });
  if (own.isPending || saved.isPending) return null;
  const text = saved.data?.items[NAME];
  if (typeof text === "string" && text) return { key: prefix, text };
  const detail = own.data?.readme ? own.data : other.data;
  return { key: detail?.key ?? prefix, text: detail?.readme ?? "" };
}

async function exported(article: HTMLElement, title: string): Promise<void> {
  const [{ documentOf }, { saveText }] = await Promise.all([import("./reportExport"), import("../charts/exports")]);
  saveText(`${title}.html`, "text/html", await documentOf(article, title));
}

interface ArticleProps {
  text: string;
  base: string;
  title: string;
  box: RefObject<HTMLElement | null>;
}

function Article({ text, base, title, box }: ArticleProps) {
  return (
    <article ref={box} aria-label={`Report of ${title}`} className={styles.report}>
      {piecesOf(text).map((piece, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no other name
        <Fragment key={`${at}${piece.kind}`}>
          {piece.kind === "prose" ? (
            <Suspense fallback={null}>
              <Prose text={piece.text} base={base} />
            </Suspense>
          ) : (
            <Charts metrics={piece.metrics} />
          )}
        </Fragment>
      ))}
      <div data-not-exported="true">
        <Tooltip />
      </div>
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
