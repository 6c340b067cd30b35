// Signals to a running job: stop, write a checkpoint, set a value; and which were sent by whom.
import { useState } from "react";
import type { Json } from "../api/types";
import { signalRun } from "../state/bulk";
import controls from "../ui/controls.module.css";
import { moment, shortValue } from "../ui/numbers";
import styles from "./Details.module.css";

interface Props {
  runKey: string;
  sent: Record<string, Json>[];
  running: boolean;
}

export function Signals({ runKey, sent, running }: Props) {
  const [said, setSaid] = useState("");
  const [setting, setSetting] = useState("");
  if (!running && sent.length === 0) return null;
  const send = (name: string, value: Json = null) =>
    signalRun(runKey, name, value).then(
      () => setSaid(`${name} sent: the run sees it at its next ping()`),
      (error: Error) => setSaid(error.message),
    );
  const set = () => {
    const [name, text] = setting.split("=", 2).map((part) => part.trim());
    if (!name || text === undefined) return setSaid("write it as name = value");
    setSetting("");
    return void send("set", { [name]: jsonOr(text) });
  };
  return (
    <details className={styles.section} open>
      <summary>Signals · {sent.length}</summary>
      {running && (
        <div className={styles.buttons}>
          <button type="button" className={controls.button} onClick={() => void send("checkpoint")}>
            Checkpoint
          </button>
          <button type="button" className={`${controls.button} ${controls.danger}`} onClick={() => void send("stop")}>
            Stop
          </button>
          <input
            className={controls.input}
            aria-label="Set a value"
            placeholder="lr = 3e-4 ⏎"
            size={14}
            value={setting}
            onChange={(event) => setSetting(event.target.value)}
            onKeyDown={(event) => event.key === "Enter" && set()}
          />
        </div>
      )}
      {said && <p aria-live="polite">{said}</p>}
      <ul className={styles.list}>
        {sent.map((signal, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: signals are only ever appended
          <li key={index}>
            <time>{moment(Number(signal.time ?? signal.t ?? 0))}</time>
            <span>
              {shortValue(signal.name)} {signal.value !== null && signal.value !== undefined ? shortValue(signal.value) : ""}
              {typeof signal.sender === "string" && signal.sender !== "" && <small> · by {signal.sender}</small>}
              <small>{signal.seen ? ` · seen ${moment(Number(signal.seen))}` : " · not seen yet"}</small>
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}

function jsonOr(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
