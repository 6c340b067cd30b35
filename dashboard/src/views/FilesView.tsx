// The files below the page's folder or run: a tree, and a look at the chosen file, else at the README. Knows names, not bytes.
import { useQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { FILES, getRun, isFolder, listFiles } from "../api/queries";
import { useVisibleRuns } from "../state/runs";
import { usePinnedKey } from "../state/there";
import { setView, useView } from "../state/view";
import styles from "./Files.module.css";
import { FileTree } from "./FileTree";

const FilePreview = lazy(() => import("./FilePreview"));
const Empty = lazy(() => import("./Empty"));
const Prose = lazy(() => import("./Prose"));

/** Whether there are files to ask for: undefined while it is not known. A folder without runs may have some, or not be there. */
function useFolder(prefix: string): boolean | undefined {
  const { all, ready } = useVisibleRuns();
  const doubtful = ready && all === 0 && prefix !== "";
  const { data } = useQuery({ ...isFolder(prefix), enabled: doubtful });
  return doubtful ? data && data.keys !== null : ready || undefined;
}

export default function FilesView() {
  const prefix = useView((view) => view.prefix);
  const pinned = usePinnedKey() ?? null;
  const file = useView((view) => view.file);
  const there = useFolder(prefix);
  if (there === undefined) return <p className={`${styles.hint} waiting`}>Loading…</p>;
  if (!there) return <Empty />;
  return (
    <section aria-label="Files" className={styles.view}>
      <FileTree
        key={`${prefix}\n${pinned}`}
        root={prefix}
        opened={file ?? pinned}
        chosen={file}
        onChoose={(entry) => setView({ file: entry.path })}
      />
      <div className={styles.preview}>
        <Suspense fallback={null}>{file ? <Chosen path={file} /> : <Readme key={prefix} prefix={prefix} />}</Suspense>
      </div>
    </section>
  );
}

/** The file that the address names, as its folder lists it. */
function Chosen({ path }: { path: string }) {
  const folder = path.slice(0, Math.max(0, path.lastIndexOf("/")));
  const [limit, setLimit] = useState(FILES);
  const { data, error } = useQuery(listFiles(folder, false, limit));
  const file = data?.entries.find((entry) => entry.path === path && !entry.is_dir);
  if (!file && data?.more) setLimit(limit * 10);
  if (file) return <FilePreview key={file.path + file.modified} file={file} />;
  return (data && !data.more) || error ? <p className={styles.hint}>{path} is not there.</p> : null;
}

function Readme({ prefix }: { prefix: string }) {
  const { data, error } = useQuery(getRun(prefix));
  if (data?.readme) {
    return (
      <article className={styles.readme} aria-label="README.md">
        <Prose text={data.readme} base={prefix} />
      </article>
    );
  }
  return data || error ? <p className={styles.hint}>Choose a file to look at it.</p> : null;
}
