// A run's own page: its details below the (one-row) table.
import { useQuery } from "@tanstack/react-query";
import { getSaved } from "../api/queries";
import type { RunDetail } from "../api/types";
import { useView } from "../state/view";
import styles from "./Details.module.css";
import { RunDetails } from "./RunDetails";

export default function RunSummary({ detail }: { detail: RunDetail }) {
  const reported = useView((view) => view.tab === "report");
  const { data: saved } = useQuery({ ...getSaved("report", detail.key, "report"), enabled: reported });
  const readme = !reported || Boolean(saved?.items.report); // the Report tab shows it, unless a report was written
  return (
    <section className={styles.scroll} aria-label="Run details">
      <RunDetails detail={detail} readme={readme} />
    </section>
  );
}
