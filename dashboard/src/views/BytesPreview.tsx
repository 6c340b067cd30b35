// Previews made from a file's first bytes: text, JSON, tables, NumPy arrays, members of archives, what a pickle mentions.
import { useQuery } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense } from "react";
import { readFile } from "../api/client";
import type { FileEntry } from "../api/types";
import { csvRows } from "../math/csv";
import { type Look, suffixOf } from "../math/fileKinds";
import { npySummary, zipMembers } from "../math/npy";
import { pickleSummary } from "../math/pickle";
import { bytes } from "../ui/numbers";
import styles from "./Files.module.css";
import { TableText } from "./TableText";

const Prose = lazy(() => import("./Prose"));
const CodeText = lazy(() => import("./CodeText"));

const MOST = 256 << 10;
/** An archive's list of members stands at its end, so all of it is needed. */
const MOST_ZIP = 16 << 20;

export function BytesPreview({ file, look }: { file: FileEntry; look: Look }) {
  const most = look === "zip" ? MOST_ZIP : MOST;
  const range: [number, number] | undefined = file.size > most ? [0, most] : undefined;
  const { data, error } = useQuery({
    queryKey: ["bytes", file.path, file.modified],
    queryFn: ({ signal }) => readFile(file.path, range, signal),
    gcTime: 30_000,
  });
  if (error) return <p role="alert">{error.message}</p>;
  if (!data) return null;
  return (
    <div className={styles.content} role="group" tabIndex={0} aria-label="Preview">
      {lookAt(data, file, look)}
      {range && (
        <p className={styles.hint}>
          The first {bytes(most)} of {bytes(file.size)}.
        </p>
      )}
    </div>
  );
}

function lookAt(data: ArrayBuffer, file: FileEntry, look: Look): ReactNode {
  if (look === "npy") return <Npy data={data} />;
  if (look === "zip") return <Zip data={data} />;
  if (look === "pickle") return <Pickle data={data} whole={data.byteLength >= file.size} />;
  const text = new TextDecoder().decode(data);
  if (look === "table") return <Rows rows={csvRows(text, file.name.toLowerCase().endsWith("tsv") ? "\t" : ",")} />;
  if (look === "markdown") {
    return (
      <Suspense fallback={null}>
        <Prose text={text} base={file.path.slice(0, Math.max(0, file.path.lastIndexOf("/")))} />
      </Suspense>
    );
  }
  return (
    <Suspense fallback={null}>
      <CodeText text={look === "json" ? pretty(text) : text} suffix={suffixOf(file.name)} />
    </Suspense>
  );
}

function pretty(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // cut off, or not JSON after all
  }
}

const Rows = ({ rows: [head = [], ...rows] }: { rows: string[][] }) => <TableText head={head} rows={rows} />;

function Npy({ data }: { data: ArrayBuffer }) {
  const found = npySummary(data);
  if (!found) return <p className={styles.hint}>Not a NumPy array.</p>;
  return (
    <Facts
      facts={[
        ["dtype", found.dtype],
        ["shape", `(${found.shape.join(", ")})`],
        ["first values", found.values?.map((value) => Number(value.toPrecision(6))).join(", ") ?? "not plain numbers"],
      ]}
    />
  );
}

function Zip({ data }: { data: ArrayBuffer }) {
  const members = zipMembers(data);
  if (!members) return <p className={styles.hint}>No list of members in sight.</p>;
  return <Rows rows={[["member", "size"], ...members.slice(0, 500).map(({ name, size }) => [name, bytes(size)])]} />;
}

function Pickle({ data, whole }: { data: ArrayBuffer; whole: boolean }) {
  const found = pickleSummary(data, whole);
  if (!found) return <p className={styles.hint}>Not a pickle.</p>;
  return (
    <Facts
      facts={[
        ["pickles", `${found.pickles}${found.cut ? " or more" : ""}, protocol ${found.protocol}`],
        ["mentions", found.globals.join(", ") || "plain values only"],
        ["first texts", found.texts.join(", ") || "none"],
      ]}
    />
  );
}

function Facts({ facts }: { facts: [string, string][] }) {
  return (
    <dl className={styles.facts}>
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
