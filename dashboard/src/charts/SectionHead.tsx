// The head of a section of charts: its title, how many charts it has, open or closed.
import { Icon } from "../ui/Icon";
import { grouped } from "../ui/numbers";
import styles from "./charts.module.css";

interface Props {
  title: string;
  charts: number;
  open: boolean;
  top: number;
  onToggle: (title: string) => void;
}

export function SectionHead({ title, charts, open, top, onToggle }: Props) {
  return (
    <h2 className={styles.head} style={{ top, height: 30 }}>
      <button type="button" title={title} aria-expanded={open} onClick={() => onToggle(title)}>
        {!open && <Icon name="chevron" size={12} />}
        <span>{title}</span>
        <small>
          {grouped(charts)} chart{charts === 1 ? "" : "s"}
        </small>
      </button>
    </h2>
  );
}
