// The text in the search box: tried on the server on every key, and the view's query only once it parses. Knows no element.
import { create } from "zustand";
import { ApiError } from "../api/client";
import { queryClient, searchRuns } from "../api/queries";
import { live } from "./live";
import { useAsked } from "./runs";
import { setQuery, useView } from "./view";

/** Why the text is no query: `position` counts characters from 0. */
export interface BadQuery {
  message: string;
  position: number;
}

interface Search {
  text: string;
  bad: BadQuery | null;
  /** Whether the server did not answer when the text was tried. */
  unanswered: boolean;
}

export const useSearch = create<Search>()(() => ({ text: "", bad: null, unanswered: false }));

let latest = 0;
let asked: readonly unknown[] | null = null;
let typed = Number.NEGATIVE_INFINITY;

/** When the text was last changed, by the clock of `performance.now()`. */
export const typedAt = (): number => typed;

/** Try a text; when the server understands it, it becomes the query, else the last good result stays. */
export async function tryQuery(text: string): Promise<void> {
  const turn = ++latest;
  typed = performance.now();
  useSearch.setState({ text });
  const { prefix, trash } = useView.getState();
  const { columns } = useAsked.getState();
  const page = searchRuns({ q: text, prefix, trash, columns }, 0);
  if (asked) void queryClient.cancelQueries({ queryKey: asked, exact: true }); // a text that was typed over needs no answer
  asked = page.queryKey;
  try {
    await queryClient.fetchQuery(page);
  } catch (error) {
    if (turn === latest) useSearch.setState({ bad: badQuery(error), unanswered: !(error instanceof ApiError) });
    return;
  }
  if (turn !== latest) return;
  useSearch.setState({ bad: null, unanswered: false });
  setQuery(text);
}

export function badQuery(error: unknown): BadQuery | null {
  if (!(error instanceof ApiError) || (error.status !== 400 && error.status !== 422)) return null;
  const position = Number(error.fields.position ?? 0);
  const at = /at character \d+/.test(error.message) ? "" : ` at character ${position}`;
  return { message: error.message + at, position };
}

/** The end of the token that begins at `position`: what is underlined. */
export function endOfToken(text: string, position: number): number {
  const rest = /^(?:"[^"]*"?|`[^`]*`?|\w[^\s()]*|[^\s\w]+)/.exec(text.slice(position));
  return position + Math.max(1, rest?.[0].length ?? 0);
}

/** Follow changes of the query from elsewhere: the address, a click on a header. */
export function startSearch(): void {
  useSearch.setState({ text: useView.getState().q });
  live().onStatus((status) => {
    const { text, unanswered } = useSearch.getState();
    if (status === "live" && unanswered) void tryQuery(text);
  });
  useView.subscribe((view, before) => {
    if (view.q !== before.q && view.q !== useSearch.getState().text) {
      latest++;
      useSearch.setState({ text: view.q, bad: null });
    }
  });
}
