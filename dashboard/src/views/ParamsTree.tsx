// Nested values as a tree that folds and filters. Knows JSON, not what the values mean.
import type { Json } from "../api/types";
import { cut, shortValue } from "../ui/numbers";
import styles from "./Details.module.css";

interface Props {
  value: Record<string, Json>;
  /** Letters that a leaf's dotted name or value must hold. */
  filter: string;
  /** Dotted names that are marked. */
  differs: ReadonlySet<string>;
  /** If given, only these dotted names are listed. */
  only?: ReadonlySet<string> | undefined;
  path?: string;
}

const isBranch = (value: Json): value is Record<string, Json> =>
  typeof value === "object" &&
  value !== null &&
  !Array.isArray(value) &&
  !Object.keys(value).some((name) => name.startsWith("$"));

/** Leaves by dotted name. */
export function flatParams(value: Record<string, Json>, path = ""): Map<string, Json> {
  const leaves = new Map<string, Json>();
  for (const [name, inner] of Object.entries(value)) {
    const full = path + name;
    if (isBranch(inner) && Object.keys(inner).length > 0) for (const [k, v] of flatParams(inner, `${full}.`)) leaves.set(k, v);
    else leaves.set(full, inner);
  }
  return leaves;
}

export function ParamsTree({ value, filter, differs, only, path = "" }: Props) {
  const wanted = filter.toLowerCase();
  const keeps = (full: string, leaf: Json) =>
    (!only || only.has(full)) &&
    (!wanted || full.toLowerCase().includes(wanted) || shortValue(leaf).toLowerCase().includes(wanted));
  const entries = Object.entries(value);
  return (
    <ul className={styles.tree}>
      {entries.map(([name, inner]) => {
        const full = path + name;
        if (!isBranch(inner) || Object.keys(inner).length === 0) {
          if (!keeps(full, inner)) return null;
          return (
            <li key={name} className={styles.leaf} data-differs={differs.has(full)}>
              <span>{cut(name)}</span>
              <span>{cut(shortValue(inner))}</span>
            </li>
          );
        }
        if (![...flatParams(inner, `${full}.`)].some(([leaf, v]) => keeps(leaf, v))) return null;
        return (
          <li key={name}>
            <details className={styles.branch} open>
              <summary>{cut(name)}</summary>
              <ParamsTree value={inner} filter={filter} differs={differs} only={only} path={`${full}.`} />
            </details>
          </li>
        );
      })}
    </ul>
  );
}
