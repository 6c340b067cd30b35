// Keys pressed while a dialog is on its way: kept from the page, and kept for the dialog. Knows no dialog.

/** What was typed ahead of a dialog, and whether Enter ended it. */
export interface Typed {
  text: string;
  entered: boolean;
}

const NOTHING: Typed = { text: "", entered: false };

let typed: Typed | null = null;
let onEscape = () => {};

/** Keep keys until they are dropped; Escape drops them, and `escaped` is told. */
export function keepKeys(escaped: () => void): void {
  typed = NOTHING;
  onEscape = escaped;
  window.addEventListener("keydown", keep, true);
}

/** What has been typed so far; null while no keys are kept. */
export const keptKeys = (): Typed | null => typed;

export function dropKeys(): void {
  typed = null;
  window.removeEventListener("keydown", keep, true);
}

function keep(event: KeyboardEvent): void {
  const { key, ctrlKey, metaKey } = event;
  if (ctrlKey || metaKey) return;
  event.preventDefault();
  event.stopPropagation();
  if (key === "Escape") {
    dropKeys();
    onEscape();
  } else if (typed) typed = after(typed, key);
}

/** After Enter nothing more is meant for the dialog. */
export function after({ text, entered }: Typed, key: string): Typed {
  if (entered) return { text, entered };
  if (key === "Backspace") return { text: [...text].slice(0, -1).join(""), entered };
  return { text: [...key].length === 1 ? text + key : text, entered: key === "Enter" };
}
