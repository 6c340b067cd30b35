// Bars and distributions as files: names are quoted and escaped, every bar and bin is there.
import { expect, test } from "vitest";
import { barsCsv, barsSvg, heatCsv, heatSvg } from "./panelExports";

const bars = [
  { title: 'a<b>"', value: 2, std: null, colour: "#3b6fe0" },
  { title: "=1+1", value: -1, std: 0.5, colour: "#1f9d6b" },
];
const found = [{ step: 3, counts: [1, 2], edges: [0, 0.5, 1] }];

test("bars are rows, and rectangles from zero", () => {
  expect(barsCsv(bars)).toBe('series,value,std\n"a<b>""",2,\n\'=1+1,-1,0.5\n');
  const drawn = new DOMParser().parseFromString(barsSvg("acc & more", bars), "image/svg+xml");
  expect(drawn.querySelector("parsererror")).toBeNull();
  expect(drawn.querySelector("title")!.textContent).toBe("acc & more");
  const [, first, second] = drawn.querySelectorAll("rect"); // the sheet is the first
  expect([first!.getAttribute("x"), first!.getAttribute("width")]).toEqual(["340.0", "240.0"]);
  expect([second!.getAttribute("x"), second!.getAttribute("width")]).toEqual(["220.0", "120.0"]);
});

test("a distribution has a row for each bin, and its picture between its edges", () => {
  expect(heatCsv(found)).toBe("step,left,right,count\n3,0,0.5,1\n3,0.5,1,2\n");
  expect(heatSvg("w", found, 0, 1, "data:image/png;base64,AA")).toContain('href="data:image/png;base64,AA"');
});
