import { afterEach, expect, test, vi } from "vitest";
import { archiveRuns } from "./bulk";

afterEach(() => vi.unstubAllGlobals());

const runs = Array.from({ length: 1200 }, (_, at) => `run-${at}`);

function answering(status: (part: number) => number): string[][] {
  const sent: string[][] = [];
  vi.stubGlobal("fetch", async (_: string, init: RequestInit) => {
    sent.push(JSON.parse(String(init.body)).runs);
    return new Response(JSON.stringify({ message: "the disk is full" }), { status: status(sent.length) });
  });
  return sent;
}

test("many runs are changed a part after the other, and it is told how many are done", async () => {
  const sent = answering(() => 200);
  const told: number[] = [];
  await archiveRuns(runs, true, (done) => told.push(done));
  expect(sent.flat()).toEqual(runs);
  expect(sent.map((part) => part.length)).toEqual([500, 500, 200]);
  expect(told).toEqual([500, 1000, 1200]);
});

test("a part that fails ends it", async () => {
  const sent = answering((part) => (part === 2 ? 507 : 200));
  await expect(archiveRuns(runs, true)).rejects.toThrow("the disk is full");
  expect(sent).toHaveLength(2);
});
