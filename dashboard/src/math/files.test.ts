// Looking at files without running them: ANSI, CSV, NumPy, zip, pickles, media steps, report pieces.
import { expect, test } from "vitest";
import { marked, stretchesOf } from "./ansi";
import { csvRows } from "./csv";
import { loadLine, lookOf } from "./fileKinds";
import { cellsOf, fileAt, mediaKey, nextStep, stepsOf } from "./media";
import { npySummary, zipMembers } from "./npy";
import { pickleSummary } from "./pickle";
import { enlarged } from "./pictures";
import { metricsOf, piecesOf } from "./report";

const latin = (text: string) => Uint8Array.from(text, (sign) => sign.charCodeAt(0)).buffer;

test("ANSI colours become styled stretches, other sequences go", () => {
  expect(stretchesOf("\u001b[31mred\u001b[0m plain").map(({ text, colour }) => [text, colour])).toEqual([["red", 1], [" plain", null]]); // biome-ignore format: pairs
  expect(stretchesOf("\u001b[1;92mok\u001b[22m!")).toMatchObject([
    { text: "ok", bold: true, colour: 10 },
    { text: "!", bold: false, colour: 10 },
  ]);
  expect(stretchesOf("\u001b[38;2;255;0;16mx")[0]!.colour).toBe("#ff0010");
  expect(stretchesOf("\u001b[38;5;196mx")[0]!.colour).toBe("#ff0000");
  expect(
    stretchesOf("\u001b[2Ka\u001b]0;title\u0007b")
      .map((one) => one.text)
      .join(""),
  ).toBe("ab");
  expect(stretchesOf("10%\r20%\r30%\r").map((one) => one.text)).toEqual(["30%"]);
  expect(stretchesOf("<b>&amp;")).toMatchObject([{ text: "<b>&amp;" }]);
});

test("what a filter found is cut out of coloured stretches", () => {
  const found = marked(stretchesOf("\u001b[31mab\u001b[0mcdef"), [1, 3, 3, 4, 5, 6]);
  expect(found.map(({ text, colour, found }) => [text, colour, found])).toEqual([
    ["a", 1, false],
    ["b", 1, true],
    ["c", null, true],
    ["d", null, true],
    ["e", null, false],
    ["f", null, true],
  ]);
});

test("CSV with quotes, line breaks and too many rows", () => {
  expect(csvRows('a,b\n1,"x, ""y""\nz"\n')).toEqual([["a", "b"], ["1", 'x, "y"\nz']]); // biome-ignore format: rows
  expect(csvRows("1\n2\n3", ",", 2)).toEqual([["1"], ["2"]]);
  expect(csvRows("a\tb", "\t")).toEqual([["a", "b"]]);
});

test("the header of a NumPy file", () => {
  const header = `${"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }".padEnd(117)}\n`;
  const body = new Uint8Array(128 + 24);
  body.set(new Uint8Array(latin(`\x93NUMPY\x01\x00v\x00${header}`)));
  new DataView(body.buffer).setFloat32(128 + 4, 2.5, true);
  expect(npySummary(body.buffer)).toEqual({
    dtype: "<f4",
    shape: [2, 3],
    fortran: false,
    values: [0, 2.5, 0, 0, 0, 0],
    end: 152,
  });
  expect(npySummary(latin("not numpy at all"))).toBeNull();
  expect(npySummary(latin("\x93NUMPY\x01\x00garbage and no header"))).toBeNull();
});

test("small pictures are shown a whole number of times as large", () => {
  expect([enlarged(8, 8), enlarged(96, 64), enlarged(160, 20), enlarged(161, 20), enlarged(0, 0)]).toEqual([60, 5, 3, 1, 1]);
});

test("what is no archive has no members", () => {
  expect(zipMembers(latin("PK but no directory, and long enough"))).toBeNull();
});

test("a pickle's opcodes are read, never run", () => {
  const evil =
    "\x80\x04\x95\x20\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x02id\x94\x85\x94R\x94.";
  expect(pickleSummary(latin(evil))).toEqual({
    protocol: 4,
    pickles: 1,
    globals: ["posix.system"],
    texts: ["posix", "system", "id"],
    cut: false,
  });
  expect(pickleSummary(latin("\x80\x02}q\x00X\x01\x00\x00\x00aK\x01s.\x80\x02K\x05."))).toMatchObject({
    protocol: 2,
    pickles: 2,
    texts: ["a"],
  });
  expect(pickleSummary(latin("cos\nsystem\n(S'id'\ntR."))).toMatchObject({ globals: ["os.system"], pickles: 1 });
  expect(pickleSummary(latin("hello world"))).toBeNull();
  expect(pickleSummary(latin("\x80\x04\x95\x20"))).toMatchObject({ cut: true });
});

test("kinds by name, and the line that loads a file", () => {
  expect(["a.PNG", "b.pkl", "Makefile", "x.tar.gz", "log.txt"].map(lookOf)).toEqual(["image", "pickle", "none", "none", "text"]);
  expect(loadLine("run/arr.npy")).toBe('logger.load_np("/run/arr.npy")');
  expect(loadLine('a/"b".bin')).toBe('logger.load_file("/a/\\"b\\".bin")');
});

test("media: keys without steps, the nearest earlier file, steps in order", () => {
  expect(mediaKey("samples/000100.png", 100)).toBe("samples/#.png");
  expect(mediaKey("videos/w.mp4", null)).toBe("videos/w.mp4");
  expect(mediaKey("a1/img.png", 3)).toBe("a1/img.png");
  const file = (path: string, step: number | null) => ({ path, kind: "image", step, modified: 0 });
  const cells = cellsOf("r", [file("r/s/20.png", 20), file("r/s/3.png", 3), file("r/x.png", null)]);
  expect([...cells.keys()]).toEqual(["s/#.png", "x.png"]);
  const cell = cells.get("s/#.png")!;
  expect([2, 3, 19, 20, 99].map((step) => fileAt(cell, step)?.step)).toEqual([undefined, 3, 3, 20, 20]);
  expect(fileAt(cells.get("x.png")!, -1)?.path).toBe("r/x.png");
  expect(stepsOf([cells])).toEqual([3, 20]);
  expect([nextStep([3, 20], 3, 1), nextStep([3, 20], 20, 1), nextStep([3, 20], 20, -1), nextStep([3, 20], 4, -1)]).toEqual([
    20, 20, 3, 3,
  ]);
});

test("a report is cut at its chart blocks", () => {
  expect(piecesOf("# a\n```chart\nloss\n```\nend")).toEqual([
    { kind: "prose", text: "# a\n" },
    { kind: "chart", metrics: ["loss"] },
    { kind: "prose", text: "\nend" },
  ]);
  expect(piecesOf("```python\nchart\n```")).toHaveLength(1);
  expect(metricsOf("- train/loss\nmetric: eval/acc\nx: step\n[a, 'b']")).toEqual(["train/loss", "eval/acc", "a", "b"]);
});
