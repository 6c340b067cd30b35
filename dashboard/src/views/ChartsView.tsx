// The Charts tab: the user's own panels, where there are any, above the charts of all metrics. Knows neither's content.
import { lazy, Suspense, useCallback, useState } from "react";
import { ChartGrid } from "../charts/ChartGrid";
import { useDescribed } from "../charts/described";
import { useView } from "../state/view";

const PanelStrip = lazy(() => import("../charts/PanelStrip"));

export function ChartsView() {
  const [making, setMaking] = useState(false);
  const make = useCallback(() => setMaking(true), []);
  const made = useCallback(() => setMaking(false), []);
  const { panels, problems } = useDescribed();
  const own = useView((view) => view.panels.length > 0);
  return (
    <>
      {typeof OffscreenCanvas === "undefined" && (
        <p role="alert">This browser cannot draw the lines: Safari 16.4, Firefox 105 and Chrome 69 can.</p>
      )}
      <Suspense fallback={null}>
        {(own || panels.length + problems.length > 0 || making) && <PanelStrip making={making} onMade={made} />}
      </Suspense>
      <ChartGrid onNewPanel={make} />
    </>
  );
}
