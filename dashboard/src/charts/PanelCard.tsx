// The frame of a panel that is no line chart: its name, its buttons, what it says in words. Knows no content.
import { type ReactNode, useId } from "react";
import type { Panel } from "../math/panels";
import chartStyles from "./charts.module.css";
import styles from "./panels.module.css";

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
  children: ReactNode;
}

export function PanelCard({ name, summary, caption, buttons, children }: Props) {
  const description = useId();
  return (
    <figure className={`${chartStyles.card} ${styles.panel}`} aria-label={name} aria-describedby={description}>
      <div className={chartStyles.cardHead}>
        <h3 title={name}>{name}</h3>
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
