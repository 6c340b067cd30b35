// A modal dialog on the native element: Escape, focus and inertness are the browser's. Knows nothing of its content.
import { type ReactNode, useLayoutEffect, useRef } from "react";
import controls from "./controls.module.css";

interface Props {
  label: string;
  onClose: () => void;
  children: ReactNode;
  className?: string | undefined;
}

export function Dialog({ label, onClose, children, className = "" }: Props) {
  const element = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const dialog = element.current!;
    if (!dialog.open) dialog.showModal();
    dialog.scrollTop = 0; // a button at its end has the focus, and its beginning is what one reads
    return () => dialog.close(); // while it is still on the page: then the focus goes back to where it was
  }, []);
  return (
    <dialog
      ref={element}
      aria-label={label}
      className={`${controls.dialog} ${className}`}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => event.target === element.current && onClose()}
    >
      {children}
    </dialog>
  );
}
