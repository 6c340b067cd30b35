// A text with line numbers, coloured by its language. What the colouring library returns is taken apart: only text and classes are kept. Loaded on demand.
import hljs from "highlight.js/lib/core";
import bash from "highlight.js/lib/languages/bash";
import cpp from "highlight.js/lib/languages/cpp";
import css from "highlight.js/lib/languages/css";
import diff from "highlight.js/lib/languages/diff";
import ini from "highlight.js/lib/languages/ini";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import latex from "highlight.js/lib/languages/latex";
import python from "highlight.js/lib/languages/python";
import rust from "highlight.js/lib/languages/rust";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import { Fragment, type ReactNode, useMemo } from "react";
import styles from "./Code.module.css";

for (const [name, language] of Object.entries({
  bash, cpp, css, diff, ini, javascript, json, latex, python, rust, typescript, xml, yaml,
})) // biome-ignore format: a table
  hljs.registerLanguage(name, language);

const LANGUAGES = new Map(
  Object.entries({
    bash: "sh bash",
    cpp: "c h cpp cu",
    css: "css",
    diff: "diff patch",
    ini: "toml ini cfg",
    javascript: "js",
    json: "json jsonl ipynb",
    latex: "tex bib",
    python: "py",
    rust: "rs",
    typescript: "ts",
    xml: "xml svg",
    yaml: "yaml yml",
  }).flatMap(([language, suffixes]) => suffixes.split(" ").map((suffix) => [suffix, language] as const)),
);
/** Longer texts are not coloured: it would take longer than a look. */
const MOST_COLOURED = 200_000;

export default function CodeText({ text, suffix }: { text: string; suffix: string }) {
  const coloured = useMemo(() => colour(text, LANGUAGES.get(suffix)), [text, suffix]);
  const count = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
  return (
    <div className={styles.code}>
      <div aria-hidden="true" className={styles.numbers}>
        {Array.from({ length: count }, (_, line) => line + 1).join("\n")}
      </div>
      <pre className={styles.text} tabIndex={0}>
        {coloured}
      </pre>
    </div>
  );
}

function colour(text: string, language: string | undefined): ReactNode {
  if (!language || text.length > MOST_COLOURED) return text;
  const made = new DOMParser().parseFromString(hljs.highlight(text, { language }).value, "text/html");
  return [...made.body.childNodes].map(elementOf);
}

function elementOf(node: Node, at: number): ReactNode {
  if (!(node instanceof Element)) return <Fragment key={at}>{node.textContent}</Fragment>;
  const kind = /hljs-(\w+)/.exec(node.className)?.[1];
  return (
    <span key={at} data-kind={kind}>
      {[...node.childNodes].map(elementOf)}
    </span>
  );
}
