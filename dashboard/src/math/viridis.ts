// The sequential colours: viridis, by nine of its stops. Pure.
const STOPS = ["#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725"];

const channel = (colour: string, at: number) => Number.parseInt(colour.slice(1 + 2 * at, 3 + 2 * at), 16);

/** The colour of a part 0 … 1, as #rrggbb. */
export function viridis(part: number): string {
  const place = Math.min(1, Math.max(0, part)) * (STOPS.length - 1);
  const below = Math.min(STOPS.length - 2, Math.floor(place));
  const rest = place - below;
  const mix = [0, 1, 2].map((at) => {
    const low = channel(STOPS[below]!, at);
    return Math.round(low + (channel(STOPS[below + 1]!, at) - low) * rest);
  });
  return `#${mix.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}
