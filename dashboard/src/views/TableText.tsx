// Rows of text as a table whose head stays in sight. Knows no file.
import styles from "./Files.module.css";

interface Props {
  head: readonly string[];
  /** What stands small under each name: its type. */
  under?: readonly string[];
  rows: readonly (readonly string[])[];
}

const NUMBER = /^[-+]?(\d[\d_,]*\.?\d*|\.\d+)(e[-+]?\d+)?$|^(nan|[-+]?inf)$/i;

export function TableText({ head, under = [], rows }: Props) {
  const numeric = head.map((_, column) => rows.length > 0 && rows.every((row) => !row[column] || NUMBER.test(row[column])));
  return (
    <table className={styles.rows}>
      <thead>
        <tr>
          {head.map((name, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: columns may have equal names
            <th key={at} scope="col" data-numeric={numeric[at]}>
              {name}
              {under[at] && <small>{under[at]}</small>}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: rows have no other name
          <tr key={at}>
            {row.map((cell, column) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: columns may have equal names
              <td key={column} data-numeric={numeric[column]}>
                {cell}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
