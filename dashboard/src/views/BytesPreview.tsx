// Previews made from a file's first bytes: text, JSON, tables, NumPy arrays, members of archives, what a pickle mentions.
import { useQuery } from "@tanstack/react-query";
import { lazy, type ReactNode, Suspense } from "react";
import { readFile } from "../api/client";
import type { FileEntry } from "../api/types";
import { csvRows } from "../math/csv";
import { type Look, suffixOf } from "../math/fileKinds";
import { type NpySummary, npySummary, zipMembers } from "../math/npy";
import { pickleSummary } from "../math/pickle";
import { decoded, prettyJson } from "../math/texts";
import { bytes, grouped } from "../ui/numbers";
import styles from "./Files.module.css";
import { TableText } from "./TableText";

const Prose = lazy(() => import("./Prose"));
const CodeText = lazy(() => import("./CodeText"));

const MOST = 256 << 10;
/** So much of a table is elements of the page. */
const MOST_ROWS = 200;
const MOST_COLUMNS = 100;
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
  if (look === "npy") return <Npy data={data} size={file.size} />;
  if (look === "zip") return <Zip data={data} />;
  if (look === "pickle") return <Pickle data={data} whole={data.byteLength >= file.size} />;
  const whole = data.byteLength >= file.size;
  const read = decoded(data, whole);
  const { text, note } = look === "json" && whole && !read.note ? prettyJson(read.text) : read;
  return (
    <>
      {note && <p className={styles.note}>{note}</p>}
      <Suspense fallback={null}>
        <Text text={text} file={file} look={look} />
      </Suspense>
    </>
  );
}

function Text({ text, file, look }: { text: string; file: FileEntry; look: Look }) {
  if (look === "table") return <Table text={text} separator={suffixOf(file.name) === "tsv" ? "\t" : ","} />;
  if (look !== "markdown") return <CodeText text={text} suffix={suffixOf(file.name)} />;
  return <Prose text={text} base={file.path.slice(0, Math.max(0, file.path.lastIndexOf("/")))} />;
}

/** The first rows and columns of a table, and that they are not all. */
function Table({ text, separator }: { text: string; separator: string }) {
  const read = csvRows(text, separator, MOST_ROWS + 2);
  const rows = read.slice(0, MOST_ROWS + 1);
  const wide = rows.reduce((most, row) => Math.max(most, row.length), 0);
  const more = [
    read.length > rows.length && `the first ${MOST_ROWS} rows`,
    wide > MOST_COLUMNS && `the first ${MOST_COLUMNS} of ${grouped(wide)} columns`,
  ].filter(Boolean);
  return (
    <>
      {more.length > 0 && <p className={styles.note}>Shown are {more.join(" and ")}.</p>}
      <Rows rows={wide > MOST_COLUMNS ? rows.map((row) => row.slice(0, MOST_COLUMNS)) : rows} />
    </>
  );
}

const Rows = ({ rows: [head = [], ...rows] }: { rows: string[][] }) => <TableText head={head} rows={rows} />;

function Npy({ data, size }: { data: ArrayBuffer; size: number }) {
  const found = npySummary(data);
  if (!found) return <p className={styles.hint}>Not a NumPy array: its first bytes are no such header.</p>;
  const rest = found.end === null ? 0 : found.end - size;
  return (
    <>
      {rest > 0 && <p className={styles.note}>Broken off: {bytes(rest)} of its values are missing.</p>}
      <NpyFacts found={found} />
    </>
  );
}

function NpyFacts({ found }: { found: NpySummary }) {
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
  if (!members) return <p className={styles.hint}>Not an archive, or broken off: no list of members stands at its end.</p>;
  return <Rows rows={[["member", "size"], ...members.slice(0, 500).map(({ name, size }) => [name, bytes(size)])]} />;
}

function Pickle({ data, whole }: { data: ArrayBuffer; whole: boolean }) {
  const found = pickleSummary(data, whole);
  if (!found) return <p className={styles.hint}>Not a pickle: its first bytes are no such program.</p>;
  const broken = whole && found.cut;
  return (
    <>
      {broken && <p className={styles.note}>Broken off: it ends in the middle of a value.</p>}
      <Facts
        facts={[
          ["pickles", `${found.pickles}${found.cut ? " or more" : ""}, protocol ${found.protocol}`],
          ["mentions", found.globals.join(", ") || "plain values only"],
          ["first texts", found.texts.join(", ") || "none"],
        ]}
      />
    </>
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
