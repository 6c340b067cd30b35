// The view and the browser's address are kept equal; one too long for an address is kept by the server under a short name.
import { ask, command, rootPath } from "../api/client";
import { addressOf, pathOf, viewOf } from "./address";
import { underTest } from "./underTest";
import { setView, useView, type View } from "./view";

/** Fields whose change is a step of the browser's history; the others only change the address. */
const STEPS = ["prefix", "tab"] as const;
/** Servers and proxies refuse addresses of more than 8 to 16 kB. */
const LONGEST = 6000;
/** An address to share is shortened sooner: it goes into messages. */
const LONG = 1500;

const here = (): View => viewOf(location.pathname.slice(rootPath.length) || "/", new URLSearchParams(location.search));

/** What stands behind the short links of this tab, so that going back to one needs no server. */
const known = new Map<string, string>();

/** The long address behind a short one (`?s=name`), or null. */
async function longAddress(): Promise<string | null> {
  const name = new URLSearchParams(location.search).get("s");
  if (!name) return null;
  const kept = known.get(name);
  if (kept) return kept;
  const saved = await ask({ type: "get_saved", kind: "link", name }).catch(() => null);
  const address = saved?.items[name];
  if (typeof address !== "string" || !/^\/(?!\/)/.test(address)) return null;
  known.set(name, address);
  return address;
}

/** Keep an address under a name that its text decides, so that the same view has one link however often it is kept. */
async function shortened(address: string): Promise<string> {
  const name = nameOf(address);
  if (!known.has(name)) await command({ type: "save", kind: "link", name, value: address });
  known.set(name, address);
  return name;
}

function nameOf(address: string): string {
  let hash = 0xcbf29ce484222325n; // FNV-1a: Web Crypto is not there on plain http
  for (const byte of new TextEncoder().encode(address)) hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
  return hash.toString(36);
}

let settled = Promise.resolve();

/** Take the view from the address, then keep the two equal. Call once, before the first render. */
export async function startAddress(): Promise<void> {
  await restore();
  window.addEventListener("popstate", () => void restore());
  let timer = 0;
  useView.subscribe((view, before) => {
    if (restoring) return;
    const step = STEPS.some((name) => view[name] !== before[name]);
    window.clearTimeout(timer);
    if (step) write(true);
    else timer = window.setTimeout(write, 150, false); // browsers limit how often an address may change
  });
}

let restoring = false;

/** The address is right already: what it says becomes the view, and writes nothing. */
async function restore(): Promise<void> {
  const long = await longAddress();
  restoring = true;
  if (long === null) setView(here());
  else openAddress(long);
  restoring = false;
}

function write(step: boolean): void {
  const view = useView.getState();
  const address = addressOf(view, underTest);
  if (address.length <= LONGEST) put(address, step);
  else settled = settled.then(() => writeShort(address, view, step));
}

async function writeShort(address: string, view: View, step: boolean): Promise<void> {
  const name = await shortened(address).catch(() => null); // without a server the page goes on; only its address stays behind
  if (name !== null && addressOf(useView.getState(), underTest) === address)
    put(`${pathOf(view.prefix)}?s=${name}${underTest ? "&test=" : ""}`, step);
}

function put(address: string, step: boolean): void {
  const next = rootPath + address;
  if (next === location.pathname + location.search) return;
  if (step) history.pushState(null, "", next);
  else history.replaceState(null, "", next);
}

/** Open a view by its address below the root path. */
export function openAddress(address: string): void {
  const url = new URL(address, location.origin);
  setView(viewOf(url.pathname, url.searchParams));
}

/** The full address of the view now, for sharing: short enough for a message. */
export async function shareAddress(): Promise<string> {
  const address = addressOf(useView.getState());
  const whole = location.origin + rootPath + address;
  if (whole.length < LONG) return whole;
  const name = await shortened(address).catch(() => null);
  return name === null ? whole : `${location.origin}${rootPath}/?s=${name}`;
}
