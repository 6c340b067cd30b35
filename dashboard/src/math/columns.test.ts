// The decoder against a body that Python wrote, and against bodies that are cut off.
import { expect, test } from "vitest";
import golden from "../../../tests/golden/series.bin?inline";
import { decodeSeries, decodeSeveral } from "./columns";

function bytesOf(address: string): ArrayBuffer {
  const text = atob(address.slice(address.indexOf(",") + 1));
  return Uint8Array.from(text, (sign) => sign.charCodeAt(0)).buffer;
}

test("the golden file of formats/series.py", () => {
  const { header, series } = decodeSeries(bytesOf(golden));
  expect(header).toMatchObject({ metric: "loss", x: "step", lo: 0, hi: null, missing: 1, version: 7 });
  expect(series.map((one) => one.meta.key)).toEqual(["group/run é", "b", "c"]);
  const [points, buckets, none] = series;
  expect([...points!.x]).toEqual([0, 1, 2]);
  expect([...points!.mean]).toEqual([0.5, -0, Number.NaN]);
  expect(points!.min).toBe(points!.mean);
  expect(points!.count).toBeNull();
  expect(points!.meta.marks).toEqual([[2, "nan"]]);
  expect([...buckets!.x]).toEqual([0.5, 2.5]);
  expect([...buckets!.mean]).toEqual([1.5, 3e-320]);
  expect([...buckets!.min]).toEqual([1, -1e308]);
  expect([...buckets!.max]).toEqual([2, Number.NaN]);
  expect([...buckets!.count!]).toEqual([4, 6]);
  expect(none!.x.length).toBe(0);
});

test("columns are views of the body, not copies", () => {
  const body = bytesOf(golden);
  expect(decodeSeries(body).series[0]!.x.buffer).toBe(body);
});

test("answers one behind the other have buffers of their own", () => {
  const one = bytesOf(golden);
  const both = new Uint8Array(2 * one.byteLength);
  both.set(new Uint8Array(one));
  both.set(new Uint8Array(one), one.byteLength);
  const [first, second] = decodeSeveral(both.buffer, 2);
  expect(second).toEqual(first);
  expect(first).toEqual(decodeSeries(one));
  expect(second!.series[0]!.x.buffer).not.toBe(first!.series[0]!.x.buffer);
  expect(second!.series[0]!.x.buffer.byteLength).toBeLessThan(one.byteLength);
  expect(() => decodeSeveral(both.buffer, 1)).toThrow(/bytes are left over/);
  expect(() => decodeSeveral(both.buffer, 3)).toThrow(RangeError);
});

test("a body that ends early, or goes on, is refused", () => {
  const body = bytesOf(golden);
  expect(() => decodeSeries(body.slice(0, 3))).toThrow(RangeError);
  expect(() => decodeSeries(body.slice(0, 40))).toThrow(RangeError);
  expect(() => decodeSeries(body.slice(0, body.byteLength - 8))).toThrow(/ends inside series b/);
  const longer = new Uint8Array(body.byteLength + 8);
  longer.set(new Uint8Array(body));
  expect(() => decodeSeries(longer.buffer)).toThrow(/8 bytes are left over/);
});
