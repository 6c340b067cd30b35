// Dark or light: the system's choice until the user makes one, kept over reloads. Knows no component but the root element.
import { create } from "zustand";

export type Choice = "auto" | "dark" | "light";
export type Theme = "dark" | "light";

const KEPT = "ml-logger.theme";
const system = globalThis.matchMedia?.("(prefers-color-scheme: dark)"); // not there where tests run without a browser

const kept = (): Choice => {
  const value = localStorage.getItem(KEPT);
  return value === "dark" || value === "light" ? value : "auto";
};
const themeOf = (choice: Choice): Theme => (choice !== "auto" ? choice : system?.matches ? "dark" : "light");

/** `theme` is what is drawn: canvases redraw when it changes. */
export const useTheme = create<{ choice: Choice; theme: Theme }>()(() => ({ choice: kept(), theme: themeOf(kept()) }));

export function chooseTheme(choice: Choice): void {
  if (choice === "auto") localStorage.removeItem(KEPT);
  else localStorage.setItem(KEPT, choice);
  apply(choice);
}

function apply(choice: Choice): void {
  const theme = themeOf(choice);
  document.documentElement.dataset.theme = theme;
  useTheme.setState({ choice, theme });
}

/** Put the theme on the page and follow the system where the user has not chosen. */
export function startTheme(): void {
  apply(kept());
  system?.addEventListener("change", () => apply(useTheme.getState().choice));
}
