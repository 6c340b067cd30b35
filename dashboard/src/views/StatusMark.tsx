// How a run is doing, where that is worth a look: a small sign beside its name. Completed runs have none.
import { Icon, type IconName } from "../ui/Icon";
import styles from "./RunTable.module.css";

const SIGNS = new Map<string, IconName>([
  ["running", "pulse"],
  ["errored", "close"],
  ["lost", "warning"],
  ["paused", "pause"],
]);

export function StatusMark({ status }: { status: string }) {
  const sign = SIGNS.get(status);
  if (!sign) return null;
  return (
    <i className={styles.sign} data-status={status} title={status}>
      <Icon name={sign} size={11} />
    </i>
  );
}
