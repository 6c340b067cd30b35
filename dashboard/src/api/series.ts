// Questions for series that charts ask in the same moment go out together: twenty requests cost page and server more than one. Knows no chart.
import { decodeSeveral, type SeriesSet } from "../math/columns";
import { ApiError, seriesBody } from "./client";
import type { GetSeries } from "./types";

interface Asked {
  query: GetSeries;
  signal: AbortSignal;
  answer(set: SeriesSet): void;
  fail(error: unknown): void;
}

/** Whole curves take the server a while, and the first of them should not wait for the last; tails are short. */
const WHOLE_TOGETHER = 6;
const TAILS_TOGETHER = 60;

let waiting: Asked[] = [];

/** Ask for series. Throws ApiError, OfflineError or an AbortError; one that was called off may still be answered, if others were asked with it. */
export function askSeries(query: GetSeries, signal: AbortSignal): Promise<SeriesSet> {
  return new Promise((answer, fail) => {
    if (!waiting.length) window.setTimeout(askAll);
    waiting.push({ query, signal, answer, fail });
  });
}

function askAll(): void {
  const asked = waiting;
  waiting = [];
  const isTail = ({ query }: Asked) => query.since != null;
  const tails = asked.filter(isTail);
  const wholes = asked.filter((one) => !isTail(one));
  for (let at = 0; at < tails.length; at += TAILS_TOGETHER) void askTogether(tails.slice(at, at + TAILS_TOGETHER));
  for (let at = 0; at < wholes.length; at += WHOLE_TOGETHER) void askTogether(wholes.slice(at, at + WHOLE_TOGETHER));
}

async function askTogether(asked: readonly Asked[]): Promise<void> {
  const leaving = new AbortController();
  const leave = () => {
    if (asked.every(({ signal }) => signal.aborted)) leaving.abort();
  };
  leave();
  for (const { signal } of asked) signal.addEventListener("abort", leave);
  try {
    const queries = asked.map(({ query }) => query);
    const body = await seriesBody(queries.length > 1 ? queries : queries[0]!, leaving.signal);
    decodeSeveral(body, asked.length).forEach((set, at) => {
      asked[at]!.answer(set);
    });
  } catch (error) {
    const refused = error instanceof ApiError && asked.length > 1; // by one of them, and the others know nothing of it
    for (const one of asked) refused ? void askTogether([one]) : one.fail(error);
  } finally {
    for (const { signal } of asked) signal.removeEventListener("abort", leave);
  }
}
