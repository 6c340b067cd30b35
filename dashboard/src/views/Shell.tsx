// The frame of the page: top bar, run table, tabs and footer, and the keys that work everywhere. Knows no content.
import { lazy, Suspense, useEffect, useState } from "react";
import { live } from "../state/live";
import { useView } from "../state/view";
import { Failure } from "./Failure";
import { Footer } from "./Footer";
import { type Overlay, onKey } from "./keys";
import { RunPane } from "./RunPane";
import styles from "./Shell.module.css";
import { Tabs } from "./Tabs";
import { TopBar } from "./TopBar";

const Drawer = lazy(() => import("./Drawer"));
const loadPalette = () => import("./Palette");
const Palette = lazy(loadPalette);
const HelpDialog = lazy(() => import("./HelpDialog"));

export function Shell() {
  const [overlay, setOverlay] = useState<Overlay>(null);
  const drawer = useView((view) => view.drawer);
  const prefix = useView((view) => view.prefix);
  useEffect(() => {
    live();
    const listen = (event: KeyboardEvent) => {
      if (event.key === "Control" || event.key === "Meta") void loadPalette(); // it is there when the k follows
      onKey(event, setOverlay);
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);
  useTitle(prefix);
  const close = () => setOverlay(null);
  return (
    <div className={styles.shell}>
      <Failure>
        <TopBar onPalette={() => setOverlay("palette")} />
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
      <Suspense fallback={null}>
        {overlay === "palette" && <Palette onClose={close} onHelp={() => setOverlay("help")} />}
        {overlay === "help" && <HelpDialog onClose={close} />}
      </Suspense>
    </div>
  );
}

function useTitle(prefix: string) {
  useEffect(() => {
    document.title = prefix ? `${prefix} – ml-logger` : "ml-logger";
  }, [prefix]);
}
