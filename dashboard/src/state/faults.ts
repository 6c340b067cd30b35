// What the server could not answer, of all that is on the page: told in one place, so that no view stays empty without a word. Knows no view.
import type { QueryFilters } from "@tanstack/react-query";
import { useSyncExternalStore } from "react";
import { ApiError } from "../api/client";
import { queryClient } from "../api/queries";

/** Told elsewhere: a query that is not understood, a missing session, what is not there. */
const TOLD = new Set([400, 401, 404, 422]);

const cache = queryClient.getQueryCache();
const FAILED: QueryFilters = {
  type: "active",
  predicate: ({ state: { error } }) => error instanceof ApiError && !TOLD.has(error.status),
};

/** The message of a question on the page that the server failed to answer, or undefined. */
export const useFault = (): string | undefined =>
  useSyncExternalStore(
    (changed) => cache.subscribe(changed),
    () => cache.findAll(FAILED)[0]?.state.error?.message,
  );

/** Ask again what failed. */
export const askAgain = (): Promise<void> => queryClient.refetchQueries(FAILED);
