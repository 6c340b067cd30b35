// The one-time code in an opened address becomes the session's cookie. Knows no page.
import { exchangeCode } from "./client";

/** Exchange `?code=` or `#code=` and take it out of the address; a code that is too old leaves a session that is still good. */
export async function openSession(): Promise<void> {
  const search = new URLSearchParams(location.search);
  const hash = new URLSearchParams(location.hash.slice(1));
  const code = search.get("code") ?? hash.get("code");
  if (!code) return;
  search.delete("code");
  hash.delete("code");
  const rest = [search.toString(), hash.toString()];
  history.replaceState(null, "", location.pathname + (rest[0] && `?${rest[0]}`) + (rest[1] && `#${rest[1]}`));
  await exchangeCode(code).catch(() => undefined); // questions tell whether a session is there
}

/** Take a code that is pasted into the address of a page that is open: the browser then loads nothing by itself. */
export function watchForCode(): void {
  addEventListener("hashchange", () => {
    if (location.hash.includes("code=")) void openSession().then(() => location.reload());
  });
}
