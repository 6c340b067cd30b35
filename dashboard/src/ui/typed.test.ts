// Keys typed ahead of a dialog, on a real window.
import { afterEach, expect, it } from "vitest";
import { dropKeys, keepKeys, keptKeys } from "./typed";

afterEach(dropKeys);

const press = (key: string, more: KeyboardEventInit = {}) =>
  window.dispatchEvent(new KeyboardEvent("keydown", { key, cancelable: true, ...more })); // false if it was kept from the page

it("keeps text, mends it by Backspace, and ends at Enter", () => {
  keepKeys(() => {});
  for (const key of ["o", "ö", "🦦", "Backspace", "Backspace", " ", "Shift", "ArrowUp", "x", "Enter", "l"])
    expect(press(key)).toBe(false);
  expect(keptKeys()).toEqual({ text: "o x", entered: true });
});

it("leaves what is the browser's, and everything once it is dropped", () => {
  keepKeys(() => {});
  expect(press("r", { ctrlKey: true })).toBe(true);
  expect(press("r", { metaKey: true })).toBe(true);
  dropKeys();
  expect(press("l")).toBe(true);
  expect(keptKeys()).toBeNull();
});

it("is given up by Escape", () => {
  let escaped = 0;
  keepKeys(() => escaped++);
  press("a");
  expect(press("Escape")).toBe(false);
  expect([escaped, keptKeys()]).toEqual([1, null]);
});
