// The top bar: where we are, search, share, palette, theme. Knows how each is opened, not what is in it.
import { type MouseEvent, useState } from "react";
import { rootPath } from "../api/client";
import { addressOf } from "../state/address";
import { chooseTheme, useTheme } from "../state/theme";
import { openPrefix, START, useView } from "../state/view";
import controls from "../ui/controls.module.css";
import { Icon } from "../ui/Icon";
import { SearchBar } from "./SearchBar";
import styles from "./TopBar.module.css";

export function TopBar({ onPalette }: { onPalette: () => void }) {
  return (
    <header className={styles.top}>
      <PrefixLink prefix="" className={styles.logo}>
        ml-logger
      </PrefixLink>
      <Breadcrumb />
      <SearchBar />
      <div className={styles.gap}>
        <Share />
        <button type="button" className={controls.button} aria-label="Open the command palette" onClick={onPalette}>
          ⌘K
        </button>
      </div>
      <div className={styles.right}>
        <ThemeSwitch />
      </div>
    </header>
  );
}

function Breadcrumb() {
  const prefix = useView((view) => view.prefix);
  const parts = prefix.split("/").filter(Boolean);
  return (
    <>
      <h1 className="visually-hidden">{prefix || "All runs"}</h1>
      <nav aria-label="Folder" className={styles.crumbs}>
        {parts.map((part, index) => {
          const upTo = parts.slice(0, index + 1).join("/");
          return (
            <span key={upTo}>
              {index > 0 && <i>/</i>}
              <PrefixLink prefix={upTo} current={index === parts.length - 1}>
                {part}
              </PrefixLink>
            </span>
          );
        })}
      </nav>
    </>
  );
}

interface LinkProps {
  prefix: string;
  children: React.ReactNode;
  className?: string | undefined;
  current?: boolean;
}

/** A link to a folder or run that opens in place; a modified click is the browser's. */
export function PrefixLink({ prefix, children, className, current = false }: LinkProps) {
  const open = (event: MouseEvent) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    openPrefix(prefix);
  };
  const href = rootPath + addressOf({ ...START, prefix });
  return (
    <a href={href} className={className} onClick={open} aria-current={current ? "page" : undefined}>
      {children}
    </a>
  );
}

/** Copies the address of the view; a long one is kept by the server under a short name. */
function Share() {
  const [said, setSaid] = useState("");
  const share = async () => {
    const { shareAddress } = await import("../state/links");
    const address = await shareAddress();
    const copied = await navigator.clipboard?.writeText(address).then(
      () => true,
      () => false,
    );
    setSaid(copied ? "Link copied" : address);
    window.setTimeout(() => setSaid(""), copied ? 2000 : 15000);
  };
  return (
    <span>
      <button type="button" className={controls.button} onClick={() => void share()}>
        Share
      </button>
      {said && (
        <span role="note" aria-live="polite" aria-label="Share" className={styles.share}>
          {said}
        </span>
      )}
    </span>
  );
}

function ThemeSwitch() {
  const theme = useTheme((state) => state.theme);
  const dark = theme === "dark";
  return (
    <button
      type="button"
      role="switch"
      aria-checked={dark}
      aria-label="Dark mode"
      className={controls.plain}
      onClick={() => chooseTheme(dark ? "light" : "dark")}
    >
      <Icon name={dark ? "moon" : "sun"} size={16} />
    </button>
  );
}
