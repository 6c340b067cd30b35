// The view and the browser's address are kept equal; one too long for an address is kept by the server under a short name.
import { rootPath } from "../api/client";
import { addressOf, pathOf, viewOf } from "./address";
import { pacer } from "./pacer";
import { underTest } from "./underTest";
import { setView, useView, type View } from "./view";

/** Fields whose change is a step of the browser's history; the others only change the address. */
const STEPS = ["prefix", "tab"] as const;
/** Servers and proxies refuse addresses of more than 8 to 16 kB. */
const LONGEST = 6000;
/** Few addresses are long. */
const links = () => import("./links");

const here = (): View => viewOf(location.pathname.slice(rootPath.length) || "/", new URLSearchParams(location.search));

let settled = Promise.resolve();

/** Take the view from the address, then keep the two equal. Call once, before the first render. */
export async function startAddress(): Promise<void> {
  await restore();
  window.addEventListener("popstate", () => void restore());
  const pause = pacer();
  let timer = 0;
  useView.subscribe((view, before) => {
    if (restoring) return;
    const step = STEPS.some((name) => view[name] !== before[name]);
    window.clearTimeout(timer);
    if (step) return write(true);
    const wait = pause(performance.now());
    if (wait > 0) timer = window.setTimeout(write, wait, false);
    else queueMicrotask(() => write(false)); // once all that an event changes is changed, and before what it costs to draw it
  });
}

let restoring = false;

/** The address is right already: what it says becomes the view, and writes nothing. */
async function restore(): Promise<void> {
  const name = new URLSearchParams(location.search).get("s");
  const long = name ? await (await links()).longAddress(name) : null;
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
  const name = await links()
    .then(({ shortened }) => shortened(address))
    .catch(() => null); // without a server the page goes on; only its address stays behind
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
