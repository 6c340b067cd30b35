// The menu of a card: take the chart along as PNG, SVG, CSV or Python. Knows the card's lines and plot.
import { useId } from "react";
import controls from "../ui/controls.module.css";
import { Icon } from "../ui/Icon";
import styles from "./charts.module.css";
import type { Taken, Way } from "./takeAlong";

const WAYS: readonly Way[] = ["PNG", "SVG", "CSV", "Copy as Python"];

export function CardMenu(props: Taken) {
  const take = (way: Way) => void import("./takeAlong").then(({ takeAlong }) => takeAlong[way](props));
  return <WayMenu name={props.metric} size={props.size} ways={WAYS} onTake={take} />;
}

interface MenuProps<W extends string> {
  name: string;
  size?: string;
  ways: readonly W[];
  onTake: (way: W) => void;
}

/** The button of three dots, and what it offers. */
export function WayMenu<W extends string>({ name: of, size, ways, onTake }: MenuProps<W>) {
  const id = useId();
  return (
    <>
      <button
        type="button"
        className={controls.plain}
        aria-label={`More for ${of}`}
        popoverTarget={id}
        onClick={(event) => place(document.getElementById(id)!, event.currentTarget)}
      >
        <Icon name="more" size={13} />
      </button>
      <div id={id} popover="auto" className={controls.menu}>
        {size && <small className={styles.size}>{size}</small>}
        {ways.map((name) => (
          <button
            key={name}
            type="button"
            onClick={() => {
              onTake(name);
              document.getElementById(id)?.hidePopover();
            }}
          >
            {name}
          </button>
        ))}
      </div>
    </>
  );
}

/** A popover stands where its button is: the style sheet cannot know. */
function place(menu: HTMLElement, button: HTMLElement): void {
  const { right, bottom } = button.getBoundingClientRect();
  menu.style.left = `${Math.max(4, right - 168)}px`;
  menu.style.top = `${Math.min(bottom + 4, window.innerHeight - 140)}px`;
}
