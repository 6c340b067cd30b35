// What charts follow only once typing rests: each key of a query would ask for the series of twenty other runs. Knows no chart.
import { useEffect, useReducer, useRef } from "react";
import { typedAt } from "./search";

const REST_MS = 300;

/** The value; while somebody types a query, the one before. */
export function useSettled<T>(value: T): T {
  const held = useRef(value);
  const [, again] = useReducer((times: number) => times + 1, 0);
  const left = typedAt() + REST_MS - performance.now();
  if (left <= 0) held.current = value;
  const waits = held.current !== value;
  useEffect(() => {
    if (!waits) return undefined;
    const timer = window.setTimeout(again, Math.max(left, 0) + 1);
    return () => window.clearTimeout(timer);
  });
  return held.current;
}
