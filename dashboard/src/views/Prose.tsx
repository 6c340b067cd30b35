// Markdown as elements: HTML in it is text, what is left is cleaned, formulas are drawn where there are any. Loaded on demand.
import DOMPurify from "dompurify";
import MarkdownIt from "markdown-it";
import { useEffect, useRef } from "react";
import { fileUrl, rootPath } from "../api/client";
import styles from "./Details.module.css";

const markdown = new MarkdownIt({ html: false, linkify: true });

/** The address of an image or link: relative ones are files beside the text, and nothing is loaded from elsewhere. */
export function addressIn(base: string, address: string): string | null {
  if (/^(data:image\/|#)/.test(address)) return address;
  if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(address)) return null;
  const parts = address.startsWith("/") ? [] : base.split("/").filter(Boolean);
  for (const part of decoded(address).split("/")) {
    if (part === "..") parts.pop();
    else if (part && part !== ".") parts.push(part);
  }
  return fileUrl(parts.join("/"));
}

/** The address of a link: a name without a suffix is a folder or run, which has a page. */
export function linkIn(base: string, address: string): string | null {
  const file = addressIn(base, address);
  if (file === null || !file.startsWith(fileUrl("")) || /\.\w+$/.test(file)) return file;
  return `${rootPath}/r/${file.slice(fileUrl("").length)}`;
}

function decoded(address: string): string {
  try {
    return decodeURI(address);
  } catch {
    return address;
  }
}

export default function Prose({ text, base }: { text: string; base: string }) {
  const element = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const box = element.current!;
    box.replaceChildren(cleaned(text, base));
    if (text.includes("$")) void import("./formulas").then(({ drawFormulas }) => drawFormulas(box));
  }, [text, base]);
  return <div ref={element} className={styles.prose} />;
}

function cleaned(text: string, base: string): DocumentFragment {
  const fragment = DOMPurify.sanitize(markdown.render(text), {
    RETURN_DOM_FRAGMENT: true,
    FORBID_TAGS: ["style", "form", "input"],
  });
  for (const image of fragment.querySelectorAll("img")) {
    const address = addressIn(base, image.getAttribute("src") ?? "");
    if (address) image.src = address;
    else image.replaceWith(document.createTextNode(image.alt || image.getAttribute("src") || ""));
  }
  for (const link of fragment.querySelectorAll("a")) {
    link.rel = "noopener noreferrer";
    const address = linkIn(base, link.getAttribute("href") ?? "");
    if (address && !address.startsWith("#")) link.href = address;
    if (!address) link.target = "_blank";
  }
  return fragment;
}
