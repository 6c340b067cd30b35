// A report's text as pieces: prose, and fenced blocks named `chart` that become live charts. Pure; renders nothing.

export type Piece = { kind: "prose"; text: string } | { kind: "chart"; metrics: string[] };

const FENCE = /^(`{3,}|~{3,})[ \t]*chart[ \t]*\r?\n([\s\S]*?)^\1[ \t]*$/gm;

/** Cut a markdown text at its chart blocks. */
export function piecesOf(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const block of text.matchAll(FENCE)) {
    prose(pieces, text.slice(end, block.index));
    pieces.push({ kind: "chart", metrics: metricsOf(block[2]!) });
    end = block.index + block[0].length;
  }
  prose(pieces, text.slice(end));
  return pieces;
}

function prose(pieces: Piece[], text: string): void {
  if (text.trim()) pieces.push({ kind: "prose", text });
}

/** The metrics of a block: one a line, as `train/loss`, `- train/loss`, `metric: train/loss` or `yKey: train/loss`. */
export function metricsOf(block: string): string[] {
  const names = block
    .split("\n")
    .map((line) => line.trim().replace(/^-\s+/, ""))
    .map((line) => /^(?:metric|y|yKey)\s*:\s*(.+)$/.exec(line)?.[1] ?? (/^\w+\s*:\s/.test(line) ? "" : line))
    .flatMap((line) => line.replace(/^\[|\]$/g, "").split(","))
    .map((name) => name.trim().replace(/^["']|["']$/g, ""));
  return [...new Set(names.filter(Boolean))];
}
