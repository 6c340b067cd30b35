// Numbers on axes: as short as their distance allows, and alike within one axis. Pure; knows no axis.

const STEPS = [1, 2, 2.5, 5, 10] as const;

/** Round values from `min` to `max`, at most `most` of them, a nice distance apart. */
export function niceTicks(min: number, max: number, most: number): number[] {
  const span = max - min;
  if (!(span > 0) || !Number.isFinite(span) || most < 1) return Number.isFinite(min) ? [min] : [];
  const rough = span / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * (STEPS.find((size) => size * power >= rough * (1 - 1e-9)) ?? 10);
  const ticks: number[] = [];
  for (let i = Math.ceil(min / step - 1e-9); i * step <= max + step * 1e-9; i++) ticks.push(Number((i * step).toPrecision(12)));
  return ticks;
}

const UNITS: readonly [number, string][] = [
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];

/** Labels of an axis' ticks: 0, 2k, 4k … or 0, 0.25, 0.5 … or 1e-5, 2e-5. */
export function tickLabels(ticks: readonly (number | null)[]): string[] {
  return ticks.map((tick) => (tick === null ? "" : tickLabel(tick)));
}

export function tickLabel(tick: number): string {
  const size = Math.abs(tick);
  if (size === 0) return "0";
  if (size < 1e-3 || size >= 1e15)
    return Number(tick.toPrecision(3)).toExponential().replace("e+", "e").replace("-", "−").replace("e−", "e-");
  const unit = UNITS.find(([from]) => size >= from);
  const text = unit ? `${trimmed(tick / unit[0])}${unit[1]}` : trimmed(tick);
  return text.replace("-", "−");
}

const trimmed = (value: number) => String(Number(value.toPrecision(6)));

/** Seconds as ticks of relative time: 0, 30s, 5m, 2h, 1d. */
export function secondsLabel(seconds: number): string {
  const size = Math.abs(seconds);
  if (size === 0) return "0";
  if (size < 60) return `${trimmed(seconds)}s`;
  if (size < 3600) return `${trimmed(seconds / 60)}m`;
  if (size < 172800) return `${trimmed(seconds / 3600)}h`;
  return `${trimmed(seconds / 86400)}d`;
}

/** Ticks of a log axis: powers of ten, at most `most`; where there are fewer than two, 2, 5, 20 … too, or else round values. */
export function logTicks(min: number, max: number, most = 7): number[] {
  if (!(min > 0) || !(max > min)) return min > 0 ? [min] : [];
  const [first, last] = [Math.floor(Math.log10(min)), Math.ceil(Math.log10(max))];
  const inside = (firsts: readonly number[], every: number) => {
    const ticks: number[] = [];
    for (let power = Math.ceil(first / every) * every; power <= last; power += every)
      for (const digit of firsts) ticks.push(Number(`${digit}e${power}`));
    return ticks.filter((tick) => tick > 0 && tick >= min * (1 - 1e-9) && tick <= max * (1 + 1e-9));
  };
  const tens = inside([1], Math.max(1, Math.ceil((last - first) / most)));
  if (tens.length >= 2) return tens;
  const more = inside([1, 2, 5], 1);
  return more.length >= 2 ? more : niceTicks(min, max, 4);
}

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86_400;
const DATE_STEPS = [
  1,
  2,
  5,
  10,
  30,
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  2 * DAY,
  7 * DAY,
  30 * DAY,
  90 * DAY,
  365 * DAY,
];

/** Ticks of relative time in seconds, at most `most`: whole minutes, hours or days apart; below a second as any numbers. */
export function secondsTicks(min: number, max: number, most: number): number[] {
  const step = DATE_STEPS.find((size) => (max - min) / size <= most);
  if (step === undefined || step === 1) return niceTicks(min, max, most);
  const first = Math.ceil(min / step);
  return Array.from({ length: Math.floor(max / step) - first + 1 }, (_, at) => (first + at) * step);
}

/** Ticks of steps, which are whole numbers; between two steps as any numbers. */
export function stepTicks(min: number, max: number, most: number): number[] {
  const ticks = niceTicks(min, max, most);
  const whole = ticks.filter(Number.isInteger);
  return whole.length ? whole : ticks;
}

/** Seconds by which local time is ahead of UTC at a moment. */
export const localOffset = (seconds: number): number => {
  const offset = -60 * new Date(seconds * 1000).getTimezoneOffset();
  return Number.isFinite(offset) ? offset : 0;
};

/**
 * Ticks of wall time, at most `most`: 14:05:30 or 14:05 within a day, 11-26 14:05 or 2026-11-26 beyond, 14:05:30.25 within seconds. In UTC,
 * or in the time that is `offset` seconds ahead of it.
 */
export function dateTicks(min: number, max: number, most: number, offset = 0): { at: number; text: string }[] {
  if (!(max > min) || !Number.isFinite(max - min)) return [{ at: min, text: dateLabel(min + offset, DAY) }];
  if (max - min < 2) return momentTicks(min, max, most, offset);
  const step = DATE_STEPS.find((size) => (max - min) / size <= most) ?? (max - min) / most;
  const first = Math.ceil((min + offset) / step);
  const count = Math.max(0, Math.floor((max + offset) / step) - first + 1);
  return Array.from({ length: Math.min(count, most + 2) }, (_, index) => {
    const at = (first + index) * step;
    return { at: at - offset, text: dateLabel(at, step, max - min) };
  });
}

/** Parts of a second, counted from a whole one: seconds since 1970 leave few digits for them. */
function momentTicks(min: number, max: number, most: number, offset: number): { at: number; text: string }[] {
  const second = Math.floor(min);
  return niceTicks(min - second, max - second, most).map((part) => {
    const whole = Math.floor(part);
    const rest = trimmed(part - whole).replace(/^[01]/, "");
    return { at: second + part, text: dateLabel(second + whole + offset, 1) + rest };
  });
}

function dateLabel(seconds: number, step: number, span = 0): string {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) return tickLabel(seconds);
  const iso = date.toISOString();
  if (step >= DAY) return iso.slice(0, 10);
  const clock = iso.slice(11, step < MINUTE ? 19 : 16);
  return span > DAY ? `${iso.slice(5, 10)} ${clock}` : clock;
}
