// One row of the table: a group of runs, with the mean ± std of each metric over all of them. Knows its cells, not where rows come from.
import type { ColumnDef } from "../state/columns";
import type { Item } from "../state/pages";
import { useTable } from "../state/table";
import { foldGroup } from "../state/view";
import { Icon } from "../ui/Icon";
import { cut, grouped, shortNumber, shortValue } from "../ui/numbers";
import { own } from "../ui/own";
import { isMade, press } from "./press";
import type { Place } from "./RunLine";
import styles from "./RunTable.module.css";

interface GroupProps extends Place {
  item: Extract<Item, { kind: "group" }>;
  open: boolean;
}

export function GroupLine({ item, start, cells, nameWidth, width, open }: GroupProps) {
  const { values, runs, metrics } = item.group;
  const cursor = useTable((state) => state.cursor === item.index);
  const [name = "", value] = Object.entries(values).at(-1) ?? [];
  const title = cut(`${name.slice(name.lastIndexOf(".") + 1)}: ${shortValue(value)}`);
  return (
    <div role="row" aria-rowindex={item.index + 1} className={styles.row} data-cursor={cursor} style={{ top: start, width }}>
      <div
        role="gridcell"
        aria-colindex={1}
        className={styles.name}
        style={{ width: nameWidth, paddingLeft: 12 + item.depth * 14 }}
      >
        <button
          type="button"
          tabIndex={-1}
          className={styles.fold}
          aria-expanded={open}
          title={title}
          onMouseDown={(event) => press(event, () => foldGroup(item.id))}
          onClick={(event) => isMade(event) && foldGroup(item.id)}
        >
          <Icon name="chevron" size={12} />
          <span>{title}</span> <small>({grouped(runs)})</small>
        </button>
      </div>
      {cells.map(({ column, start: left, at }) => {
        const text =
          column.kind === "param" ? cut(shortValue(own(values, column.name) ?? "")) : spread(own(metrics, column.name), column);
        return (
          <div
            key={column.id}
            role="gridcell"
            aria-colindex={at}
            className={styles.cell}
            data-kind={column.kind}
            data-numeric={column.numeric}
            style={{ left, width: column.width }}
          >
            {text}
          </div>
        );
      })}
    </div>
  );
}

function spread(summary: (number | null)[] | undefined, column: ColumnDef): string {
  const [mean, std] = summary ?? [];
  if (column.kind !== "metric" || column.aspect !== "last" || mean === null || mean === undefined) return "";
  return `${shortNumber(mean, true)}${std ? ` ±${shortNumber(std)}` : ""}`;
}
