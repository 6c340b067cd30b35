// One part of a run's details that folds.
import type { ReactNode } from "react";
import styles from "./Details.module.css";

export function Section({ title, open = false, children }: { title: string; open?: boolean; children: ReactNode }) {
  return (
    <details className={styles.section} open={open}>
      <summary>{title}</summary>
      {children}
    </details>
  );
}
