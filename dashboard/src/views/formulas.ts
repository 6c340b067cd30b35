// Formulas between dollar signs, drawn by KaTeX in text that is already cleaned. Loaded only when there is a `$`.
import katex from "katex";

const FORMULA = /\$\$([^$]+)\$\$|\$([^\s$](?:[^$\n]*[^\s$])?)\$/g;

const OPTIONS = { throwOnError: false, errorColor: "var(--bad)", output: "mathml" } as const;

/** Replace `$…$` and `$$…$$` in the text below `box`; code is left alone, a formula that fails stays as written. */
export function drawFormulas(box: HTMLElement): void {
  const walker = document.createTreeWalker(box, NodeFilter.SHOW_TEXT);
  const texts: Text[] = [];
  while (walker.nextNode()) texts.push(walker.currentNode as Text);
  for (const text of texts) {
    if (text.parentElement?.closest("code, pre") || !text.data.includes("$")) continue;
    text.replaceWith(...pieces(text.data));
  }
}

function pieces(text: string): Node[] {
  const nodes: Node[] = [];
  let end = 0;
  for (const found of text.matchAll(FORMULA)) {
    nodes.push(document.createTextNode(text.slice(end, found.index)));
    const span = document.createElement("span");
    katex.render(found[1] ?? found[2]!, span, { ...OPTIONS, displayMode: found[1] !== undefined });
    nodes.push(span);
    end = found.index + found[0].length;
  }
  nodes.push(document.createTextNode(text.slice(end)));
  return nodes;
}
