// The charts that a user made, and those that a .charts.yml describes, above all others. Loaded when there are any, or when one is made.
import { useState } from "react";
import { panelNames } from "../math/panelNames";
import { NEW_PANEL, type Panel } from "../math/panels";
import { useVisibleRuns } from "../state/runs";
import { setView, useView } from "../state/view";
import controls from "../ui/controls.module.css";
import { Icon } from "../ui/Icon";
import { BarPanel } from "./BarPanel";
import { ChartCard } from "./ChartCard";
import { useDescribed } from "./described";
import { FilesPanel } from "./FilesPanel";
import { HistogramPanel } from "./HistogramPanel";
import type { PanelProps } from "./PanelCard";
import { PanelEditor } from "./PanelEditor";
import styles from "./panels.module.css";

/** Which panel is being edited: its place in the view, or −1 for a new one. */
type Editing = number | null;

export default function PanelStrip({ making, onMade }: { making: boolean; onMade: () => void }) {
  const own = useView((view) => view.panels);
  const { panels: described, problems } = useDescribed();
  const [editing, setEditing] = useState<Editing>(null);
  const panels = [...own, ...described];
  const names = panelNames(panels);
  const at = making ? -1 : editing;
  const close = () => {
    setEditing(null);
    onMade();
  };
  const put = (panel: Panel) => {
    setView({ panels: at === -1 ? [...own, panel] : own.map((one, index) => (index === at ? panel : one)) });
    close();
  };
  const remove = (index: number) => setView({ panels: own.filter((_, other) => other !== index) });
  return (
    <section aria-label="Panels">
      {problems.map((problem) => (
        <p key={problem} role="alert" className={styles.problem}>
          {problem}
        </p>
      ))}
      {panels.length > 0 && (
        <div className={styles.strip}>
          <h2 className="visually-hidden">Panels</h2>
          {panels.map((panel, index) => (
            <OnePanel
              key={names[index]}
              name={names[index]!}
              panel={panel}
              buttons={
                index < own.length ? (
                  <Buttons name={names[index]!} onEdit={() => setEditing(index)} onRemove={() => remove(index)} />
                ) : (
                  <small className={styles.origin}>.charts.yml</small>
                )
              }
            />
          ))}
        </div>
      )}
      {at !== null && <PanelEditor panel={own[at] ?? NEW_PANEL} onSave={put} onClose={close} />}
    </section>
  );
}

function OnePanel({ name, panel, buttons }: PanelProps) {
  const { keys } = useVisibleRuns();
  if (panel.kind === "bar") return <BarPanel {...{ name, panel, buttons }} />;
  if (panel.kind === "histogram") return <HistogramPanel {...{ name, panel, buttons }} />;
  if (panel.kind !== "line") return <FilesPanel {...{ name, panel, buttons }} />;
  return (
    <ChartCard
      metric={name}
      metrics={panel.y}
      x={panel.x}
      keys={keys}
      have={keys.length}
      of={keys.length}
      loose
      buttons={buttons}
    />
  );
}

function Buttons({ name, onEdit, onRemove }: { name: string; onEdit: () => void; onRemove: () => void }) {
  return (
    <>
      <button type="button" className={controls.plain} aria-label={`Edit ${name}`} title="Edit" onClick={onEdit}>
        <Icon name="edit" size={13} />
      </button>
      <button type="button" className={controls.plain} aria-label={`Remove ${name}`} title="Remove" onClick={onRemove}>
        <Icon name="close" size={13} />
      </button>
    </>
  );
}
