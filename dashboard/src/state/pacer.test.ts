// Clicks are written at once; dragging for ever stays below what browsers take.
import { expect, it } from "vitest";
import { pacer } from "./pacer";

it("writes a click at once, also the second right after it", () => {
  const pause = pacer();
  expect([pause(5000), pause(5001), pause(9000)]).toEqual([0, 0, 0]);
});

it("keeps a drag of a minute below 100 addresses in any 10 s, then writes at once again", () => {
  const pause = pacer();
  const written: number[] = [];
  let due = Number.POSITIVE_INFINITY;
  for (let now = 0; now < 60_000; now += 16) {
    if (due <= now) written.push(due);
    due = now + pause(now); // a change takes the place of the one that waits
  }
  const most = Math.max(...written.map((from) => written.filter((at) => at >= from && at < from + 10_000).length));
  expect(most).toBeGreaterThan(20);
  expect(most).toBeLessThan(100);
  expect(pause(70_000)).toBe(0);
});
