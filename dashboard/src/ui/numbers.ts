// Values as short text, as a table or a caption shows them. Pure; knows no metric and no locale.

/** A number behind the wire's tags ({"$f": "nan"}, {"$i": "…"}), or undefined if the value is no number. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === "number") return value;
  if (typeof value !== "object" || value === null) return undefined;
  const { $f, $i } = value as { $f?: unknown; $i?: unknown };
  if (typeof $i === "string") return Number($i);
  if (typeof $f !== "string") return undefined;
  return $f === "nan" ? Number.NaN : $f.startsWith("-") ? -Infinity : Infinity;
}

/** Four significant digits: 0.9287, 1.1e-3, 16, 12.5k stays 12500. `fixed` keeps trailing zeros, so that columns align. */
export function shortNumber(value: number, fixed = false): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return String(value).replace("-", "−");
  const size = Math.abs(Number(value.toPrecision(6))); // 0.1 less a rounding error is written as 0.1 is
  const text = size < 1e-2 || size >= 1e7 ? value.toExponential(2) : plain(value, size);
  return tidy(text, fixed).replace("-", "−").replace("e−", "e-");
}

const plain = (value: number, size: number) => (size >= 1e4 ? value.toFixed(0) : value.toPrecision(size < 0.1 ? 3 : 4));

/** Drop zeros that say nothing: 1.100e-3 → 1.1e-3, 0.5000 → 0.5. */
function tidy(text: string, fixed: boolean): string {
  const [mantissa, exponent] = text.split("e");
  const short = fixed && !exponent ? mantissa! : mantissa!.replace(/(\.\d*?)0+$/, "$1").replace(/\.$/, "");
  return exponent ? `${short.replace("-", "−")}e${exponent.replace("+", "")}` : short;
}

/** Any logged value in one line. */
export function shortValue(value: unknown, fixed = false): string {
  const number = numberOf(value);
  if (number !== undefined) return shortNumber(number, fixed);
  if (value === null || value === undefined) return "–";
  if (typeof value === "string") return value;
  const counts = (value as { counts?: unknown }).counts;
  return Array.isArray(counts) ? `histogram of ${counts.length} bins` : JSON.stringify(value);
}

const LONGEST = 2000;

/** A text as a page can hold it: what is longer than anyone reads is cut, and its length told. */
export const cut = (text: string): string =>
  text.length > LONGEST ? `${text.slice(0, LONGEST)}… (${grouped(text.length)} characters)` : text;

/** A whole number: 1234567 → "1,234,567". What the language offers for it costs thirty times as much. */
export const grouped = (count: number): string => String(count).replace(/\B(?=(\d{3})+$)/g, ",");

/** 1040000 → "1.0 M", 41200 → "41 k". */
export function roughly(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(1)} G`;
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)} M`;
  if (count >= 1e4) return `${Math.round(count / 1e3)} k`;
  return grouped(count);
}

/** Seconds → "3 h 12 min", "45 s". */
export function duration(seconds: number): string {
  if (!(seconds >= 0)) return "–";
  if (seconds > 0 && seconds < 0.05) return "< 0.1 s";
  if (seconds < 59.5) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const minutes = Math.max(1, Math.floor(seconds / 60));
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** How long ago a time (s since the epoch) is: "just now", "5 min ago", else its date. */
export function ago(time: number, now: number): string {
  const seconds = now - time;
  if (seconds < -60 || seconds > 7 * 86400) return moment(time);
  if (seconds < 10) return "just now";
  return `${seconds < 60 ? `${Math.round(seconds)} s` : seconds < 3600 ? `${Math.round(seconds / 60)} min` : seconds < 86400 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} d`} ago`;
}

/** A time (s since the epoch) as "2030-01-31 12:00". */
export function moment(time: number): string {
  if (!(time > 0 && time < 8.64e12)) return "–";
  const date = new Date(time * 1000);
  const two = (part: number) => String(part).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** Bytes → "4.2 MB". */
export function bytes(size: number): string {
  if (size < 1000) return `${size} B`;
  const steps = ["kB", "MB", "GB", "TB"];
  let at = -1;
  let rest = size;
  while (rest >= 1000 && at < steps.length - 1) {
    rest /= 1000;
    at++;
  }
  return `${rest.toFixed(rest < 10 ? 1 : 0)} ${steps[at]}`;
}
