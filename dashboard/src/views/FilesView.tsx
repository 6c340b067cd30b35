// The files below the page's folder or run: a tree, and a look at the chosen file. Knows names, not bytes.
import { lazy, Suspense, useState } from "react";
import type { FileEntry } from "../api/types";
import { useView } from "../state/view";
import styles from "./Files.module.css";
import { FileTree } from "./FileTree";

const FilePreview = lazy(() => import("./FilePreview"));

export default function FilesView() {
  const prefix = useView((view) => view.prefix);
  const pinned = useView((view) => view.pinned);
  const [chosen, setChosen] = useState<FileEntry | null>(null);
  return (
    <section aria-label="Files" className={styles.view}>
      <FileTree key={`${prefix}\n${pinned}`} root={prefix} opened={pinned} chosen={chosen?.path ?? null} onChoose={setChosen} />
      <div className={styles.preview}>
        <Suspense fallback={null}>
          {chosen ? (
            <FilePreview key={chosen.path + chosen.modified} file={chosen} />
          ) : (
            <p className={styles.hint}>Choose a file to look at it.</p>
          )}
        </Suspense>
      </div>
    </section>
  );
}
