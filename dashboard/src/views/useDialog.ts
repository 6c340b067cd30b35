// The dialog that a key opens: it is loaded when it is first asked for, and loses no key meanwhile. Knows none of them from inside.
import { type ComponentType, useState } from "react";
import { flushSync } from "react-dom";
import { dropKeys, keepKeys, keptKeys } from "../ui/typed";

const DIALOGS = { palette: () => import("./Palette"), help: () => import("./HelpDialog") };

export type DialogName = keyof typeof DIALOGS;

export interface DialogProps {
  onClose: () => void;
  onHelp: () => void;
}

type Shown = ComponentType<DialogProps> | null;

/** Load all of them, so that the first key finds them there. */
export function loadDialogs(): void {
  for (const load of Object.values(DIALOGS)) load().catch(() => {}); // asked for again, and told, when it is opened
}

/** The open dialog, or null, and how one is opened and closed. */
export function useDialog(): [shown: Shown, open: (name: DialogName) => void, close: () => void] {
  const [shown, setShown] = useState<Shown>(null);
  const [[open, close]] = useState(() => {
    const show = (dialog: Shown) => setShown(() => dialog);
    const close = () => show(null);
    const load = async (name: DialogName) => {
      keepKeys(close);
      try {
        const { default: dialog } = await DIALOGS[name]();
        if (keptKeys()) flushSync(() => show(dialog)); // at once: it takes what was typed
      } catch (error) {
        show(() => {
          throw error;
        });
      }
      dropKeys();
    };
    return [(name: DialogName) => void load(name), close] as const;
  });
  return [shown, open, close];
}
