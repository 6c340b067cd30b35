// The dialog that makes or changes a panel: its kind, its metrics, its axis. Knows names of metrics, draws nothing.
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { listMetrics } from "../api/queries";
import { type Panel, type PanelKind, panelOf, STATS, type Stat } from "../math/panels";
import { useView } from "../state/view";
import controls from "../ui/controls.module.css";
import { Dialog } from "../ui/Dialog";
import styles from "./panels.module.css";

const KINDS: readonly [PanelKind, string][] = [
  ["line", "lines"],
  ["bar", "bars, one a run or group"],
  ["histogram", "histogram over time"],
  ["image", "pictures"],
  ["video", "videos"],
];

interface Props {
  panel: Panel;
  onSave: (panel: Panel) => void;
  onClose: () => void;
}

export function PanelEditor({ panel, onSave, onClose }: Props) {
  const [draft, setDraft] = useState<Panel>(panel);
  const [typed, setTyped] = useState("");
  const change = (part: Partial<Panel>) => setDraft({ ...draft, ...part });
  const add = (name: string) => {
    if (name && !draft.y.includes(name)) change({ y: [...draft.y, name] });
    setTyped("");
  };
  const whole = panelOf(typed ? { ...draft, y: [...draft.y, typed] } : draft);
  const save = (event: FormEvent) => {
    event.preventDefault();
    if (whole) onSave(whole);
  };
  const ofFiles = draft.kind === "image" || draft.kind === "video";
  return (
    <Dialog label="Panel" onClose={onClose} className={styles.editor}>
      <form onSubmit={save}>
        <label>
          Kind
          <select aria-label="Kind" value={draft.kind} onChange={(event) => change({ kind: event.target.value as PanelKind })}>
            {KINDS.map(([kind, title]) => (
              <option key={kind} value={kind}>
                {title}
              </option>
            ))}
          </select>
        </label>
        {ofFiles ? (
          <Text label="Files" value={draft.glob} placeholder="samples/*.png" onChange={(glob) => change({ glob })} />
        ) : (
          <Metrics
            y={draft.y}
            typed={typed}
            setTyped={setTyped}
            add={add}
            remove={(name) => change({ y: draft.y.filter((one) => one !== name) })}
          />
        )}
        {draft.kind === "line" && (
          <Text label="X of the panel" value={draft.x} placeholder="as all charts" list onChange={(x) => change({ x })} />
        )}
        {draft.kind === "bar" && (
          <label>
            Value
            <select aria-label="Value" value={draft.stat} onChange={(event) => change({ stat: event.target.value as Stat })}>
              {STATS.map((stat) => (
                <option key={stat}>{stat}</option>
              ))}
            </select>
          </label>
        )}
        <Text label="Title" value={draft.title} placeholder="its metrics" onChange={(title) => change({ title })} />
        <div className={styles.actions}>
          <button type="button" className={controls.button} onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className={controls.button} disabled={!whole}>
            Save panel
          </button>
        </div>
      </form>
    </Dialog>
  );
}

interface MetricsProps {
  y: readonly string[];
  typed: string;
  setTyped: (text: string) => void;
  add: (name: string) => void;
  remove: (name: string) => void;
}

function Metrics({ y, typed, setTyped, add, remove }: MetricsProps) {
  const list = useId();
  const names = useMetricNames();
  return (
    <div className={styles.row}>
      Metrics
      <span className={styles.chips}>
        {y.map((name) => (
          <button
            key={name}
            type="button"
            aria-label={`Leave out ${name}`}
            className={controls.button}
            onClick={() => remove(name)}
          >
            {name} ×
          </button>
        ))}
        <input
          className={controls.input}
          aria-label="Metrics"
          placeholder="a name, then Enter"
          list={list}
          value={typed}
          spellCheck={false}
          onChange={(event) => {
            const chosen = (event.nativeEvent as InputEvent).inputType === "insertReplacementText"; // from the list
            if (chosen) add(event.target.value);
            else setTyped(event.target.value);
          }}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || !typed) return;
            event.preventDefault();
            add(typed);
          }}
        />
      </span>
      <datalist id={list}>
        {names.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
    </div>
  );
}

interface TextProps {
  label: string;
  value: string;
  placeholder: string;
  list?: boolean;
  onChange: (text: string) => void;
}

function Text({ label, value, placeholder, list = false, onChange }: TextProps) {
  const id = useId();
  const names = useMetricNames();
  return (
    <label>
      {label}
      <input
        className={controls.input}
        aria-label={label}
        placeholder={placeholder}
        value={value}
        spellCheck={false}
        list={list ? id : undefined}
        onChange={(event) => onChange(event.target.value)}
      />
      {list && (
        <datalist id={id}>
          {["step", "time", "relative", ...names].map((name) => (
            <option key={name} value={name} />
          ))}
        </datalist>
      )}
    </label>
  );
}

const MOST_NAMES = 2000;

function useMetricNames(): string[] {
  const q = useView((view) => view.q);
  const prefix = useView((view) => view.prefix);
  const { data } = useQuery(listMetrics(null, q, prefix));
  return (data?.metrics ?? []).slice(0, MOST_NAMES).map((metric) => metric.name);
}
