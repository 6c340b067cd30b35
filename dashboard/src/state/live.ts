// This tab's live stream: opened once, followed by whoever draws. Knows no component; charts take `live.onChange`.
import { useEffect, useState } from "react";
import { type Live, type LiveStatus, openLive } from "../api/live";
import { queryClient, renewOnChange } from "../api/queries";

let stream: Live | undefined;

/** The stream of this tab; the first call opens it, and answers are renewed by it from then on. */
export function live(): Live {
  if (!stream) {
    stream = openLive();
    renewOnChange(stream, queryClient);
  }
  return stream;
}

/** The stream's status, for the footer. */
export function useLiveStatus(): LiveStatus {
  const [status, setStatus] = useState<LiveStatus>("connecting");
  useEffect(() => live().onStatus(setStatus), []);
  return status;
}
