// Numbers as short text.
import { describe, expect, it } from "vitest";
import { ago, bytes, cut, duration, numberOf, roughly, shortNumber, shortValue } from "./numbers";

describe("numbers", () => {
  it("stand in texts of any length, which are cut where nobody reads on", () => {
    expect(cut("x".repeat(2000))).toBe("x".repeat(2000));
    expect(cut("x".repeat(1 << 20))).toBe(`${"x".repeat(2000)}… (1,048,576 characters)`);
  });

  it.each([
    [1e-3, "1e-3"],
    [0.0011, "1.1e-3"],
    [0.92871, "0.9287"],
    [0.5, "0.5"],
    [16, "16"],
    [-3, "−3"],
    [12.345, "12.35"],
    [12345.6, "12346"],
    [1.2345e-5, "1.23e-5"],
    [0.05, "0.05"],
    [1e9, "1e9"],
    [Number.NaN, "NaN"],
    [-Infinity, "−∞"],
    [0, "0"],
  ])("%f is %s", (value, text) => {
    expect(shortNumber(value)).toBe(text);
  });

  it("keeps zeros where columns must align", () => {
    expect(shortNumber(0.92, true)).toBe("0.9200");
    expect(shortNumber(0.09999999999999999, true)).toBe("0.1000");
  });

  it("reads the wire's tags", () => {
    expect(numberOf({ $f: "nan" })).toBeNaN();
    expect(numberOf({ $f: "-inf" })).toBe(-Infinity);
    expect(numberOf({ $i: "9007199254740993" })).toBe(9007199254740992);
    expect(numberOf("3")).toBeUndefined();
    expect(shortValue({ a: [1] })).toBe('{"a":[1]}');
    expect(shortValue({ counts: [1, 2], edges: [0, 1, 2] })).toBe("histogram of 2 bins");
    expect(shortValue(null)).toBe("–");
  });

  it("words times and sizes", () => {
    expect(duration(3)).toBe("3.0 s");
    expect(duration(3725)).toBe("1 h 2 min");
    expect(duration(Number.NaN)).toBe("–");
    expect(ago(100, 103)).toBe("just now");
    expect(ago(100, 400)).toBe("5 min ago");
    expect(bytes(4_200_000)).toBe("4.2 MB");
    expect(roughly(1_040_000)).toBe("1.0 M");
    expect(roughly(41)).toBe("41");
  });
});
