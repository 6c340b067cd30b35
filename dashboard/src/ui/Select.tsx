// A native select that gives the keyboard back: chosen by the pointer, it leaves the focus, so that the next key is the page's.
import type { ComponentProps } from "react";

/** Whoever chooses by keys stays in it, and can go on choosing. */
export function Select({ onChange, children, ...props }: ComponentProps<"select">) {
  return (
    <select
      {...props}
      onFocus={(event) => delete event.currentTarget.dataset.keyed}
      onKeyDown={(event) => {
        event.currentTarget.dataset.keyed = "true";
      }}
      onChange={(event) => {
        onChange?.(event);
        if (!event.currentTarget.dataset.keyed) event.currentTarget.blur();
      }}
    >
      {children}
    </select>
  );
}
