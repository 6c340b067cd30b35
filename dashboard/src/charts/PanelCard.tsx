// The frame of a panel that is no line chart: its name, its buttons, what it says in words. Knows no content.
import { type ReactNode, useId } from "react";
import type { Panel } from "../math/panels";
import { WayMenu } from "./CardMenu";
import chartStyles from "./charts.module.css";
import { type PanelTexts, type PanelWay, takePanel } from "./panelExports";
import styles from "./panels.module.css";

const WAYS: readonly PanelWay[] = ["PNG", "SVG", "CSV", "Copy as Python"];

/** What every kind of panel is given. */
export interface PanelProps {
  name: string;
  panel: Panel;
  buttons: ReactNode;
}

interface Props {
  name: string;
  summary: string;
  caption: string;
  buttons: ReactNode;
  /** What can be taken along of it; nothing while there is nothing. */
  texts?: PanelTexts | undefined;
  children: ReactNode;
}

export function PanelCard({ name, summary, caption, buttons, texts, children }: Props) {
  const description = useId();
  return (
    <figure className={`${chartStyles.card} ${styles.panel}`} aria-label={name} aria-describedby={description}>
      <div className={chartStyles.cardHead}>
        <h3 title={name}>{name}</h3>
        {texts && <WayMenu name={name} ways={WAYS} onTake={(way) => void takePanel(way, name, texts)} />}
        {buttons}
        <span className={chartStyles.caption}>{caption}</span>
      </div>
      <p id={description} className="visually-hidden">
        {summary}
      </p>
      <div className={styles.body} tabIndex={0}>
        {children}
      </div>
    </figure>
  );
}
