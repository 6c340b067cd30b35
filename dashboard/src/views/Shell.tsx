// The frame of the page: top bar, run table, tabs and footer, and the keys that work everywhere. Knows no content.
import { lazy, Suspense, useEffect } from "react";
import { live } from "../state/live";
import { useView } from "../state/view";
import { Failure } from "./Failure";
import { Footer } from "./Footer";
import { onKey } from "./keys";
import { RunPane } from "./RunPane";
import styles from "./Shell.module.css";
import { Tabs } from "./Tabs";
import { TopBar } from "./TopBar";
import { loadDialogs, useDialog } from "./useDialog";

const Drawer = lazy(() => import("./Drawer"));
/** Where a browser does not tell when it is idle (Safari), it is taken to be so by then. */
const IDLE_MS = 2000;

export function Shell() {
  const [Shown, open, close] = useDialog();
  const drawer = useView((view) => view.drawer);
  const prefix = useView((view) => view.prefix);
  useEffect(() => {
    live();
    if (typeof requestIdleCallback === "function") requestIdleCallback(loadDialogs);
    else setTimeout(loadDialogs, IDLE_MS);
  }, []);
  useEffect(() => {
    const listen = (event: KeyboardEvent) => onKey(event, open);
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, [open]);
  useTitle(prefix);
  return (
    <div className={styles.shell}>
      <Failure>
        <TopBar onPalette={() => open("palette")} />
      </Failure>
      <div className={styles.body}>
        <Failure key={prefix}>
          <RunPane />
        </Failure>
        <main className={styles.main}>
          <Failure>
            <Tabs />
          </Failure>
        </main>
        <Failure key={drawer}>
          <Suspense fallback={null}>{drawer !== null && <Drawer runKey={drawer} key={drawer} />}</Suspense>
        </Failure>
      </div>
      <Failure>
        <Footer />
      </Failure>
      <Failure>{Shown && <Shown onClose={close} onHelp={() => open("help")} />}</Failure>
    </div>
  );
}

function useTitle(prefix: string) {
  useEffect(() => {
    document.title = prefix ? `${prefix} – ml-logger` : "ml-logger";
  }, [prefix]);
}
