// A run's own page: its details below the (one-row) table.
import type { RunDetail } from "../api/types";
import styles from "./Details.module.css";
import { RunDetails } from "./RunDetails";

export default function RunSummary({ detail }: { detail: RunDetail }) {
  return (
    <section className={styles.scroll} aria-label="Run details">
      <RunDetails detail={detail} />
    </section>
  );
}
