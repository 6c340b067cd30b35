// A look at one file, its download, and the line that loads it. Nothing in a file is run: text is text, pickles are read as opcodes.
import { lazy, Suspense, useState } from "react";
import { fileUrl } from "../api/client";
import type { FileEntry } from "../api/types";
import { loadLine, lookOf } from "../math/fileKinds";
import controls from "../ui/controls.module.css";
import { bytes, grouped, moment } from "../ui/numbers";
import { BytesPreview } from "./BytesPreview";
import styles from "./Files.module.css";
import { Picture } from "./Picture";

const ParquetPreview = lazy(() => import("./ParquetPreview"));

export default function FilePreview({ file }: { file: FileEntry }) {
  const line = loadLine(file.path);
  return (
    <>
      <div className={styles.head}>
        <h2 title={file.path}>{file.name}</h2>
        <small>
          {file.kind === "view" ? "made when read" : bytes(file.size)}
          {file.step !== null && ` · step ${grouped(file.step)}`} · {moment(file.modified)}
        </small>
        <a className={controls.button} href={fileUrl(file.path)} download={file.name}>
          Download
        </a>
        <CopyLine line={line} />
      </div>
      <Look file={file} />
    </>
  );
}

/** The line that loads the file, copied; where the page may not write the clipboard (plain http), it is shown to be taken by hand. */
function CopyLine({ line }: { line: string }) {
  const [said, setSaid] = useState("");
  const copy = async () => {
    const copied = await navigator.clipboard?.writeText(line).then(
      () => true,
      () => false,
    );
    setSaid(copied ? "Copied" : line);
  };
  return (
    <>
      <button type="button" className={controls.button} title={line} onClick={() => void copy()}>
        Copy <code>{line.slice(0, line.indexOf("("))}</code>
      </button>
      {said && (
        <code role="note" aria-live="polite" className={styles.said}>
          {said}
        </code>
      )}
    </>
  );
}

function Look({ file }: { file: FileEntry }) {
  const source = fileUrl(file.path);
  const look = lookOf(file.name);
  if (file.size === 0 && file.kind !== "view") return <p className={styles.hint}>The file is empty: it has 0 bytes.</p>;
  if (look === "image" || look === "video" || look === "audio") return <Picture {...{ look, source, file }} />;
  // Browsers draw no PDF in a frame with the attribute; the answer's own `sandbox` policy holds it (docs/decisions/0040).
  if (look === "pdf") return <iframe className={styles.frame} src={`${source}#navpanes=0`} title={file.name} />;
  if (look === "html")
    return <iframe className={styles.frame} src={`${source}?embed`} sandbox="allow-scripts" title={file.name} />;
  if (look === "none") return <p className={styles.hint}>No preview of this kind of file.</p>;
  if (look === "parquet") {
    return (
      <Suspense fallback={null}>
        <ParquetPreview file={file} />
      </Suspense>
    );
  }
  return <BytesPreview file={file} look={look} />;
}
