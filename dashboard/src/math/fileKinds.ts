// How a file is looked at, and the Python line that loads it, by its name. Pure; reads no byte.

export type Look =
  | "image"
  | "video"
  | "audio"
  | "pdf"
  | "html"
  | "markdown"
  | "table"
  | "json"
  | "text"
  | "npy"
  | "zip"
  | "pickle"
  | "none";

const LOOKS: Record<string, Look> = Object.fromEntries(
  (
    [
      ["image", "png jpg jpeg gif webp avif bmp svg"],
      ["video", "mp4 webm mov ogv mkv"],
      ["audio", "wav mp3 ogg flac"],
      ["pdf", "pdf"],
      ["html", "html htm"],
      ["markdown", "md markdown"],
      ["table", "csv tsv"],
      ["json", "json ipynb"],
      ["text", "txt log py yaml yml toml ini cfg sh c h cpp rs js ts css tex bib rst diff patch xml jsonl out err"],
      ["npy", "npy"],
      ["zip", "npz zip pt pth"],
      ["pickle", "pkl pickle"],
    ] as const
  ).flatMap(([look, suffixes]) => suffixes.split(" ").map((suffix) => [suffix, look])),
);

export const suffixOf = (name: string): string => (name.includes(".") ? name.slice(name.lastIndexOf(".") + 1).toLowerCase() : "");

/** How a file is previewed. */
export const lookOf = (name: string): Look => LOOKS[suffixOf(name)] ?? "none";

const LOADERS: Record<string, string> = {
  pkl: "load_pkl", pickle: "load_pkl", npy: "load_np", npz: "load_np", json: "load_json", jsonl: "load_jsonl", yaml: "load_yaml",
  yml: "load_yaml", csv: "load_csv", h5: "load_h5", pt: "load_torch", pth: "load_torch", txt: "load_text", md: "load_text", log: "load_text",
  py: "load_text",
}; // biome-ignore format: a table

/** The line that loads a file: `logger.load_pkl("/sweep/a/metrics.pkl")`; a path from the root begins with a slash. */
export const loadLine = (path: string): string =>
  `logger.${LOADERS[suffixOf(path)] ?? "load_file"}(${JSON.stringify(`/${path}`)})`;
