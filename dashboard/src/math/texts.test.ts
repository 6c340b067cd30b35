// What is told of texts that are none.
import { expect, test } from "vitest";
import { decoded, prettyJson } from "./texts";

const bytes = (...all: number[]) => Uint8Array.from(all).buffer;

test("bytes that are no UTF-8 are told with their line; a letter that is cut off is not", () => {
  expect(decoded(bytes(97, 10, 0xe9, 32))).toEqual({
    text: "a\n\ufffd ",
    note: "Not UTF-8: bytes that are no text stand as \ufffd, first in line 2.",
  });
  expect(decoded(bytes(97, 0xc3), false)).toEqual({ text: "a", note: "" });
  expect(decoded(bytes(97, 0xc3)).note).toContain("line 1");
  expect(decoded(bytes())).toEqual({ text: "", note: "" });
});

test("a mark at the start says UTF-16", () => {
  expect(decoded(bytes(0xff, 0xfe, 104, 0))).toEqual({ text: "h", note: "UTF-16" });
  expect(decoded(bytes(0xfe, 0xff, 0, 104))).toEqual({ text: "h", note: "UTF-16" });
});

test("what is no JSON stays as it is, with the reason", () => {
  expect(prettyJson('{"a":1}')).toEqual({ text: '{\n  "a": 1\n}', note: "" });
  expect(prettyJson('{"a": [1')).toMatchObject({ text: '{"a": [1', note: expect.stringMatching(/^Not JSON: .+/) });
});
