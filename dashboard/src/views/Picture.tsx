// An image, a video or a sound: small ones enlarged a whole number of times, and what the browser cannot play said. Knows no run.
import { useEffect, useRef, useState } from "react";
import { readFile } from "../api/client";
import type { FileEntry } from "../api/types";
import { enlarged } from "../math/pictures";
import { bytes } from "../ui/numbers";
import styles from "./Files.module.css";

interface Props {
  look: "image" | "video" | "audio";
  source: string;
  file: FileEntry;
}

/** What is known of a picture: its size in pixels, or that it cannot be shown. */
type Found = { width: number; height: number } | "broken" | null;

export function Picture({ look, source, file }: Props) {
  const element = useRef<HTMLImageElement & HTMLVideoElement>(null);
  const [found, setFound] = useState<Found>(null);
  useEffect(() => watch(element.current!, file, setFound), [file]);
  if (found === "broken") {
    return (
      <p role="alert" className={styles.hint}>
        {file.name} is not {KINDS[look]} that this browser can show, or is broken off: it has {bytes(file.size)}.
      </p>
    );
  }
  const times = found ? enlarged(found.width, found.height) : 1;
  const style = found?.width ? { width: found.width * times } : undefined;
  const shown = { ref: element, src: source, style, className: look === "audio" ? styles.sound : styles.picture };
  return (
    <>
      {look === "image" && <img {...shown} alt={file.name} data-enlarged={times > 1} />}
      {look === "video" && <video {...shown} controls loop muted aria-label={file.name} />}
      {look === "audio" && <audio {...shown} controls aria-label={file.name} />}
      {found !== null && found.width > 0 && (
        <p className={styles.caption}>
          {found.width} × {found.height}
          {times > 1 && `, shown ${times} times as large`}
        </p>
      )}
    </>
  );
}

const KINDS = { image: "a picture", video: "a video", audio: "a sound" };
/** Larger pictures are not read a second time to learn whether they are whole. */
const MOST_CHECKED = 16 << 20;

/** Tell what becomes of an element's source, also if that was clear before anyone listened: a small file is there before the element is. */
function watch(element: HTMLImageElement | HTMLMediaElement, file: FileEntry, tell: (found: Found) => void): () => void {
  const stop = new AbortController();
  const listen = (type: string, then: () => void) => element.addEventListener(type, then, { signal: stop.signal });
  const fail = () => stop.signal.aborted || tell("broken");
  listen("error", fail);
  if (element instanceof HTMLImageElement) {
    const drawn = () => {
      if (!element.naturalWidth) return fail();
      tell({ width: element.naturalWidth, height: element.naturalHeight });
      // A picture that ends too early counts as loaded, and is blank from there on: only a decoder that is strict tells.
      if (file.size < MOST_CHECKED && !file.name.endsWith(".svg"))
        void isWhole(file, stop.signal).then((whole) => whole || fail());
    };
    listen("load", drawn);
    if (element.complete) drawn();
  } else {
    const loaded = () =>
      tell(element instanceof HTMLVideoElement ? { width: element.videoWidth, height: element.videoHeight } : null);
    listen("loadedmetadata", loaded);
    if (element.error) fail();
    else if (element.readyState > 0) loaded();
  }
  return () => stop.abort();
}

async function isWhole(file: FileEntry, signal: AbortSignal): Promise<boolean> {
  const data = await readFile(file.path, undefined, signal).catch(() => null);
  if (data === null) return true; // not known
  try {
    (await createImageBitmap(new Blob([data]))).close();
    return true;
  } catch {
    return false;
  }
}
