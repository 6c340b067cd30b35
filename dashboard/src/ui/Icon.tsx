// The few icons, drawn on a 16-pixel grid in the colour of their text. Decoration only: names are given by the buttons.
const PATHS = {
  search: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.4 10.4l3.4 3.4",
  sun: "M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6M8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9",
  moon: "M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8",
  close: "M4 4l8 8M12 4l-8 8",
  chevron: "M6 4l4 4-4 4",
  folder: "M2 12.5v-9h4l1.5 2H14v7z",
  columns: "M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10",
  pin: "M5.5 2.5h5l-.8 4 2 2.2H4.3l2-2.2zM8 8.7v5",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  warning: "M8 2.5l6 11H2zM8 6.5v3.2M8 11.6h.01",
  edit: "M3 13l.6-2.8L10.8 3 13 5.2 5.8 12.4zM9.4 4.4l2.2 2.2",
  up: "M8 12.5v-9M4.5 7L8 3.5 11.5 7",
  pause: "M5.5 3.5v9M10.5 3.5v9",
  pulse: "M1.5 8.5h3l2-5 3 9 2-4h3",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 14 }: { name: IconName; size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 16 16" aria-hidden="true" focusable="false">
      <path
        d={PATHS[name]}
        fill="none"
        stroke="currentColor"
        strokeWidth={name === "more" ? 2.2 : 1.4}
        strokeLinecap="round"
        strokeLinejoin="round"
      />
    </svg>
  );
}
