// The worker behind the studio: orders come in, pictures go out.
import { painting } from "./painting";
import type { Order, Picture } from "./studio";

const page = self as unknown as { postMessage(pictures: Picture[], move: Transferable[]): void };
const take = painting((pictures) =>
  page.postMessage(
    pictures,
    pictures.map((picture) => picture.bitmap),
  ),
);

self.onmessage = ({ data: order }: MessageEvent<Order>) => take(order);
