// ANSI escape sequences of a line as stretches of styled text; sequences that say no colour are dropped. Pure; makes no HTML.

export interface Stretch {
  text: string;
  /** 0 … 7 and 8 … 15 (bright) are the terminal's own colours, "#rrggbb" any other; null is the default. */
  colour: number | string | null;
  bold: boolean;
  dim: boolean;
  italic: boolean;
  underline: boolean;
  /** Whether the filter found it. */
  found?: boolean;
}

type Style = Omit<Stretch, "text">;

const PLAIN: Style = { colour: null, bold: false, dim: false, italic: false, underline: false };
const ESC = String.fromCharCode(27);
const BELL = String.fromCharCode(7);
const CONTROLS = [0, 8, 11, 31, 127].map((code) => String.fromCharCode(code));
/** Colours and other sequences, titles of windows, single escapes, and control characters that say nothing here. */
const ESCAPES = new RegExp(
  [
    `${ESC}\\[([0-9;:]*)([A-Za-z])`,
    `${ESC}\\][^${BELL}${ESC}]*(?:${BELL}|${ESC}\\\\)`,
    `${ESC}[@-Z\\\\-_]`,
    `[${CONTROLS[0]}-${CONTROLS[1]}${CONTROLS[2]}-${CONTROLS[3]}${CONTROLS[4]}]`,
  ].join("|"),
  "g",
);

/** A line's stretches. A carriage return shows what was written last, as a terminal does. */
export function stretchesOf(line: string): Stretch[] {
  const last = line.replace(/\r+$/, "");
  const text = last.slice(last.lastIndexOf("\r") + 1);
  const found: Stretch[] = [];
  let style = PLAIN;
  let end = 0;
  for (const mark of text.matchAll(ESCAPES)) {
    if (mark.index > end) found.push({ text: text.slice(end, mark.index), ...style });
    if (mark[2] === "m") style = styled(style, mark[1]!);
    end = mark.index + mark[0].length;
  }
  if (end < text.length) found.push({ text: text.slice(end), ...style });
  return found;
}

/** The stretches, cut where marks (start, end, start, end … of their joined text) begin and end. */
export function marked(stretches: readonly Stretch[], marks: readonly number[]): readonly Stretch[] {
  if (!marks.length) return stretches;
  const cut: Stretch[] = [];
  let from = 0;
  for (const stretch of stretches) {
    const to = from + stretch.text.length;
    const edges = [from, ...marks.filter((edge) => edge > from && edge < to), to];
    for (let i = 0; i + 1 < edges.length; i++) {
      const [start, end] = [edges[i]!, edges[i + 1]!];
      const found = marks.filter((edge) => edge <= start).length % 2 === 1;
      if (end > start) cut.push({ ...stretch, text: stretch.text.slice(start - from, end - from), found });
    }
    from = to;
  }
  return cut;
}

function styled(before: Style, codes: string): Style {
  const numbers = codes.split(/[;:]/).map(Number);
  let style = before;
  for (let i = 0; i < numbers.length; i++) {
    const code = numbers[i]!;
    if (code === 38 || code === 48) {
      const [colour, used] = wide(numbers.slice(i + 1));
      if (code === 38) style = { ...style, colour };
      i += used;
    } else style = one(style, code);
  }
  return style;
}

function one(style: Style, code: number): Style {
  if (code === 0) return PLAIN;
  if (code === 1) return { ...style, bold: true };
  if (code === 2) return { ...style, dim: true };
  if (code === 3) return { ...style, italic: true };
  if (code === 4) return { ...style, underline: true };
  if (code === 22) return { ...style, bold: false, dim: false };
  if (code === 23) return { ...style, italic: false };
  if (code === 24) return { ...style, underline: false };
  if (code === 39) return { ...style, colour: null };
  if (code >= 30 && code <= 37) return { ...style, colour: code - 30 };
  if (code >= 90 && code <= 97) return { ...style, colour: code - 82 };
  return style;
}

/** A colour of 256 or of 16 million, and how many numbers said it. */
function wide(numbers: readonly number[]): [colour: number | string | null, used: number] {
  if (numbers[0] === 5) return [of256(numbers[1] ?? 0), 2];
  if (numbers[0] === 2) return [hex(numbers.slice(1, 4)), 4];
  return [null, numbers.length];
}

function of256(index: number): number | string {
  if (index < 16) return index;
  if (index >= 232) return hex([8 + 10 * (index - 232), 8 + 10 * (index - 232), 8 + 10 * (index - 232)]);
  const cube = index - 16;
  const level = (part: number) => (part ? 55 + 40 * part : 0);
  return hex([level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6)]);
}

const hex = (parts: readonly number[]) =>
  `#${[0, 1, 2]
    .map((i) =>
      Math.min(255, Math.max(0, Math.round(parts[i] ?? 0) || 0))
        .toString(16)
        .padStart(2, "0"),
    )
    .join("")}`;
