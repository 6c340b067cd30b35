// Short links: an address that is too long is kept by the server under a name. Knows no history.
import { ask, command, rootPath } from "../api/client";
import { addressOf } from "./address";
import { useView } from "./view";

/** An address to share is shortened sooner than one that is only shown: it goes into messages. */
const LONG = 1500;

/** What stands behind the short links of this tab, so that going back to one needs no server. */
const known = new Map<string, string>();

/** The long address behind a short one (`?s=name`), or null. */
export async function longAddress(name: string): Promise<string | null> {
  const kept = known.get(name);
  if (kept) return kept;
  const saved = await ask({ type: "get_saved", kind: "link", name }).catch(() => null);
  const address = saved?.items[name];
  if (typeof address !== "string" || !/^\/(?!\/)/.test(address)) return null;
  known.set(name, address);
  return address;
}

/** Keep an address under a name that its text decides, so that the same view has one link however often it is kept. */
export async function shortened(address: string): Promise<string> {
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

/** The full address of the view now, for sharing: short enough for a message. */
export async function shareAddress(): Promise<string> {
  const address = addressOf(useView.getState());
  const whole = location.origin + rootPath + address;
  if (whole.length < LONG) return whole;
  const name = await shortened(address).catch(() => null);
  return name === null ? whole : `${location.origin}${rootPath}/?s=${name}`;
}
