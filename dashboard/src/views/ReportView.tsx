// The report of the page's folder or run: what was written here, else its README.md, with live charts in it. Knows the text, not how charts are drawn.
import { useQuery } from "@tanstack/react-query";
import { Fragment, lazy, type RefObject, Suspense, useRef, useState } from "react";
import { command } from "../api/client";
import { getRun, getSaved, listMetrics, queryClient } from "../api/queries";
import { ChartCard } from "../charts/ChartCard";
import { Tooltip } from "../charts/Tooltip";
import { piecesOf } from "../math/report";
import { nameOf, useVisibleRuns } from "../state/runs";
import { usePinnedKey } from "../state/there";
import { useView } from "../state/view";
import controls from "../ui/controls.module.css";
import { Conflict, isConflict } from "./Conflict";
import styles from "./Report.module.css";

const Prose = lazy(() => import("./Prose"));
/** The name under which a folder's or run's report is saved. */
const NAME = "report";

/** What is being written, and the saved text it began from: another one there means that someone else saved. */
interface Draft {
  text: string;
  was: string | null;
}

export default function ReportView() {
  const prefix = useView((view) => view.prefix);
  const report = useReport(prefix);
  const [draft, setDraft] = useState<Draft | null>(null);
  const [theirs, setTheirs] = useState<string | null>(null);
  const [failed, setFailed] = useState("");
  const article = useRef<HTMLElement>(null);
  if (report === null) return <p className={`${styles.nothing} waiting`}>Loading the report…</p>;
  const { key, text, saved } = report;
  const title = nameOf(key) || "all runs";
  const shown = draft?.text ?? text;
  const leave = () => {
    setDraft(null);
    setTheirs(null);
    setFailed("");
  };
  const save = async ({ text: next, was }: Draft, checked = true) => {
    try {
      await command({ type: "save", kind: "report", name: NAME, value: next || null, prefix, checked, was });
      await queryClient.invalidateQueries({ queryKey: ["get_saved", "report"] });
      leave();
    } catch (error) {
      if (isConflict(error)) setTheirs(await savedNow(prefix));
      else setFailed(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <>
      <div className={styles.bar}>
        {draft === null ? (
          <button type="button" className={controls.button} onClick={() => setDraft({ text, was: saved })}>
            {text ? "Edit report" : "Write a report"}
          </button>
        ) : (
          <>
            <button type="button" className={controls.button} onClick={() => void save(draft)}>
              Save report
            </button>
            <button type="button" className={controls.button} onClick={leave}>
              Cancel
            </button>
          </>
        )}
        {shown && (
          <button
            type="button"
            className={controls.button}
            onClick={() => void exported(article.current!, title).catch((error: Error) => setFailed(error.message))}
          >
            Export HTML
          </button>
        )}
      </div>
      {failed && <p role="alert">{failed}</p>}
      {draft && theirs !== null && (
        <Conflict what="this report" theirs={theirs} onMine={() => void save(draft, false)} onTheirs={leave} />
      )}
      {draft && (
        <textarea
          aria-label="Report"
          className={styles.source}
          value={draft.text}
          spellCheck={false}
          onChange={(event) => setDraft({ ...draft, text: event.target.value })}
        />
      )}
      {shown ? <Article text={shown} base={key} title={title} box={article} /> : <NoReport name={nameOf(prefix)} />}
    </>
  );
}

/** The report as the server has it this moment. */
async function savedNow(prefix: string): Promise<string> {
  const found = await queryClient.fetchQuery({ ...getSaved("report", prefix, NAME), staleTime: 0 });
  return String(found.items[NAME] ?? "");
}

/** What is shown: the saved report, else README.md of the page, else that of the pinned run; null while it is on its way. */
function useReport(prefix: string): { key: string; text: string; saved: string | null } | null {
  const pinned = usePinnedKey();
  const saved = useQuery(getSaved("report", prefix, NAME));
  const own = useQuery(getRun(prefix));
  const other = useQuery({ ...getRun(pinned ?? ""), enabled: Boolean(pinned) });
  if (own.isPending || saved.isPending || pinned === undefined) return null;
  const text = saved.data?.items[NAME];
  if (typeof text === "string" && text) return { key: prefix, text, saved: text };
  const detail = own.data?.readme ? own.data : other.data;
  return { key: detail?.key ?? prefix, text: detail?.readme ?? "", saved: null };
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
