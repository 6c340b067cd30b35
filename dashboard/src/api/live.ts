// One stream of change notices for all tabs of this browser; knows nothing of what the page does with them.
// Where Web Locks exist (a secure context), one tab leads: it holds the stream and passes notices on. Elsewhere each tab has its own.
import { rootPath } from "./client";
import type { Change } from "./types";

export type LiveStatus = "connecting" | "live" | "offline";
type Note = { kind: "change"; change: Change } | { kind: "status"; status: LiveStatus } | { kind: "hello" };

const RETRY_MS = [500, 1000, 2000, 5000];

export interface Live {
  /** Call `heard` for every change from now on; returns how to stop. */
  onChange(heard: (change: Change) => void): () => void;
  /** Call `heard` with the status, now and whenever it changes; returns how to stop. */
  onStatus(heard: (status: LiveStatus) => void): () => void;
  close(): void;
}

/** Open the stream of all changes below the root. */
export function openLive(): Live {
  const changes = new Set<(change: Change) => void>();
  const statuses = new Set<(status: LiveStatus) => void>();
  let status: LiveStatus = "connecting";
  let stop = () => {};
  const setStatus = (next: LiveStatus) => {
    if (next === status) return;
    status = next;
    for (const heard of statuses) heard(next);
  };
  const take = (note: Note) => {
    if (note.kind === "change") for (const heard of changes) heard(note.change);
    else if (note.kind === "status") setStatus(note.status);
  };
  if (navigator.locks && typeof BroadcastChannel === "function") stop = joinTabs(take, () => status);
  else stop = openStream(take);
  return {
    onChange: (heard) => add(changes, heard),
    onStatus: (heard) => {
      heard(status);
      return add(statuses, heard);
    },
    close: () => stop(),
  };
}

function add<T>(set: Set<T>, item: T): () => void {
  set.add(item);
  return () => set.delete(item);
}

/** Follow the leading tab, and lead when there is none. */
function joinTabs(take: (note: Note) => void, status: () => LiveStatus): () => void {
  const channel = new BroadcastChannel(`ml-logger-live${rootPath}`);
  const leaving = new AbortController();
  let leading = false;
  channel.onmessage = (event: MessageEvent<Note>) => {
    if (event.data.kind !== "hello") take(event.data);
    else if (leading) channel.postMessage({ kind: "status", status: status() } satisfies Note);
  };
  channel.postMessage({ kind: "hello" } satisfies Note);
  const lead = () =>
    new Promise<void>((resolve) => {
      leading = true;
      take({ kind: "status", status: "connecting" }); // what was said between two leaders was not heard
      const stop = openStream((note) => {
        take(note);
        channel.postMessage(note);
      });
      leaving.signal.addEventListener("abort", () => {
        stop();
        resolve();
      });
    });
  navigator.locks.request(`ml-logger-live${rootPath}`, { signal: leaving.signal }, lead).catch(() => {
    // the tab left before it could lead
  });
  return () => {
    leaving.abort();
    channel.close();
  };
}

/** Keep an event stream open; the browser resumes it with Last-Event-ID, and we reopen one that the server refused. */
function openStream(take: (note: Note) => void): () => void {
  let source: EventSource | undefined;
  let timer = 0;
  let failures = 0;
  const open = () => {
    source = new EventSource(`${rootPath}/v1/live`);
    source.onopen = () => {
      failures = 0;
      take({ kind: "status", status: "live" });
    };
    source.addEventListener("change", (event) => take({ kind: "change", change: JSON.parse(event.data) as Change }));
    source.onerror = () => {
      take({ kind: "status", status: "offline" });
      if (source?.readyState !== EventSource.CLOSED) return;
      timer = window.setTimeout(open, RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]);
    };
  };
  open();
  return () => {
    window.clearTimeout(timer);
    source?.close();
  };
}
