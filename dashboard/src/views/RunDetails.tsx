// One run's parameters, source, environment, life, notes, signals and writers. Knows the answer of `get_run`, not where it stands.

import { lazy, Suspense, useState } from "react";
import type { Json, RunDetail, RunRow } from "../api/types";
import controls from "../ui/controls.module.css";
import { Icon } from "../ui/Icon";
import { ago, cut, duration, grouped, moment, shortValue } from "../ui/numbers";
import { own as ownValue } from "../ui/own";
import styles from "./Details.module.css";
import { Notes } from "./Notes";
import { flatParams, ParamsTree } from "./ParamsTree";
import { Section } from "./Section";
import { Signals } from "./Signals";
import { Source } from "./Source";
import { StatusMark } from "./StatusMark";
import { SystemUse } from "./SystemUse";
import { usePinned } from "./usePinned";

const Prose = lazy(() => import("./Prose"));

export function RunDetails({ detail, readme = true }: { detail: RunDetail; readme?: boolean }) {
  const { row } = detail;
  const pinned = usePinned();
  const against = pinned && row && pinned.key !== row.key ? pinned : null;
  return (
    <>
      {detail.warnings.length > 0 && (
        <Section title={`Warnings · ${detail.warnings.length}`} open>
          <ul className={`${styles.list} ${styles.warning}`}>
            {detail.warnings.map((warning) => (
              <li key={warning}>
                <Icon name="warning" /> {warning}
              </li>
            ))}
          </ul>
        </Section>
      )}
      {row && <Facts row={row} />}
      <Parameters detail={detail} against={against} />
      {row && <Notes runKey={row.key} text={row.notes} />}
      {readme && detail.readme !== null && (
        <Section title="README.md" open>
          <Suspense fallback={null}>
            <Prose text={detail.readme} base={detail.key} />
          </Suspense>
        </Section>
      )}
      {row && <Source detail={detail} />}
      {row && <SystemUse row={row} />}
      <Section title="Environment">
        <ParamsTree value={without(detail.meta, ["key", "created"])} filter="" differs={NONE} />
      </Section>
      {row && <Signals runKey={row.key} sent={detail.signals} running={row.status === "running"} />}
      <Lifecycle events={detail.lifecycle} />
      <Writers detail={detail} />
    </>
  );
}

const NONE: ReadonlySet<string> = new Set();
const without = (meta: Record<string, Json>, names: string[]) =>
  Object.fromEntries(Object.entries(meta).filter(([name]) => !names.includes(name)));

function Facts({ row }: { row: RunRow }) {
  const now = Date.now() / 1000;
  const reason = row.status === "errored" ? (ownValue(row.params, "error") ?? ownValue(row.params, "job.error")) : undefined;
  return (
    <Section title="Run" open>
      <dl className={styles.facts}>
        <dt>status</dt>
        <dd className={styles.status} data-status={row.status}>
          <StatusMark status={row.status} /> {row.status}
        </dd>
        {reason !== undefined && (
          <>
            <dt>error</dt>
            <dd className={styles.reason}>{cut(shortValue(reason))}</dd>
          </>
        )}
        <dt>started</dt>
        <dd title={moment(row.created)}>{ago(row.created, now)}</dd>
        <dt>took</dt>
        <dd>{duration(row.duration)}</dd>
        <dt>host</dt>
        <dd>{row.host || "–"}</dd>
        <dt>points</dt>
        <dd>{grouped(row.points)}</dd>
        <dt>key</dt>
        <dd>{row.key}</dd>
      </dl>
      {row.tags.length > 0 && (
        <div>
          {row.tags.map((tag) => (
            <span key={tag} className={styles.tag}>
              {tag}
            </span>
          ))}
        </div>
      )}
    </Section>
  );
}

function Parameters({ detail, against }: { detail: RunDetail; against: RunRow | null }) {
  const [filter, setFilter] = useState("");
  const [onlyDifferent, setOnly] = useState(false);
  const own = flatParams(detail.nested);
  const differs = new Set(
    against
      ? [...own]
          .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(ownValue(against.params, name)))
          .map(([name]) => name)
      : [],
  );
  return (
    <Section title={`Parameters · ${own.size}`} open={own.size > 0}>
      {own.size > 0 && (
        <input
          className={`${controls.input} ${styles.wide}`}
          aria-label="Filter parameters"
          placeholder="Filter parameters"
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
      )}
      {against && (
        <label>
          <input type="checkbox" checked={onlyDifferent} onChange={(event) => setOnly(event.target.checked)} /> only what differs
          from {against.name}
        </label>
      )}
      <ParamsTree value={detail.nested} filter={filter} differs={differs} only={onlyDifferent ? differs : undefined} />
    </Section>
  );
}

interface Stage {
  what: string;
  /** When it was said first and last, s since the epoch. */
  first: number;
  last: number;
  count: number;
}

/** Events in order, those that only say again what the one before said as one: a running job says so at each ping. */
export function stagesOf(events: readonly Record<string, Json>[]): Stage[] {
  const stages: Stage[] = [];
  for (const event of events) {
    const time = Number(event.time ?? event.t ?? 0);
    const what = shortValue(event.status ?? event.kind ?? without(event, ["time", "t"]));
    const before = stages.at(-1);
    if (before?.what === what) Object.assign(before, { last: time, count: before.count + 1 });
    else stages.push({ what, first: time, last: time, count: 1 });
  }
  return stages;
}

function Lifecycle({ events }: { events: Record<string, Json>[] }) {
  if (events.length === 0) return null;
  return (
    <Section title={`Life · ${events.length}`}>
      <ul className={styles.list}>
        {stagesOf(events).map(({ what, first, last, count }) => (
          <li key={`${first} ${what}`}>
            <time>{moment(first)}</time>
            <span>
              {what}
              {count > 1 && (
                <small>
                  {" "}
                  · said {grouped(count)} times, last {moment(last)}
                </small>
              )}
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Writers({ detail }: { detail: RunDetail }) {
  return (
    <Section title={`Writers · ${detail.writers.length}`}>
      <ul className={styles.list}>
        {detail.writers.map((writer) => (
          <li key={writer.writer}>
            <span>
              {writer.host} rank {writer.rank} · attempt {writer.attempt} · {grouped(writer.records)} records{" "}
              {writer.ended ? "· ended" : ""}
              {writer.damaged > 0 && <span className={styles.warning}> · {writer.damaged} damaged frames</span>}
              {writer.gaps > 0 && <span className={styles.warning}> · {writer.gaps} gaps</span>}
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}
