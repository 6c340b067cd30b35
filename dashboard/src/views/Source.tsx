// Where a run's code came from: the revision that the job named, and the difference of the working tree that was kept beside it.
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense } from "react";
import { readFile } from "../api/client";
import { listFiles } from "../api/queries";
import type { FileEntry, Json, RunDetail } from "../api/types";
import { bytes, shortValue } from "../ui/numbers";
import styles from "./Details.module.css";
import { Section } from "./Section";

const CodeText = lazy(() => import("./CodeText"));
const MOST = 256 << 10;
const NAMES = ["index.diff", "git.diff"];

const isObject = (value: unknown): value is Record<string, Json> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

export function Source({ detail }: { detail: RunDetail }) {
  const { data } = useQuery(listFiles(detail.key));
  const file = data?.entries.find((entry) => NAMES.includes(entry.name));
  const revision = isObject(detail.nested.revision) ? detail.nested.revision : {};
  const facts = Object.entries(revision).filter(([, value]) => value !== null);
  if (facts.length === 0 && !file) return null;
  return (
    <Section title="Git" open>
      <dl className={styles.facts}>
        {facts.map(([name, value]) => [<dt key={`${name}:`}>{name}</dt>, <dd key={name}>{shortValue(value)}</dd>])}
      </dl>
      {file && <Diff key={file.modified} file={file} />}
    </Section>
  );
}

function Diff({ file }: { file: FileEntry }) {
  const { data } = useQuery({
    queryKey: ["bytes", file.path, file.modified],
    queryFn: ({ signal }) => readFile(file.path, file.size > MOST ? [0, MOST] : undefined, signal),
  });
  if (!file.size) return <p>Nothing differed from the commit.</p>;
  return (
    <details open={file.size < 4000}>
      <summary>
        {file.name} · {bytes(file.size)}
        {file.size > MOST && `, the first ${bytes(MOST)}`}
      </summary>
      <Suspense fallback={null}>{data && <CodeText text={new TextDecoder().decode(data)} suffix="diff" />}</Suspense>
    </details>
  );
}
