// How a file is looked at, and the Python line that loads it, by its name. Pure; reads no byte.

export type Look =
  | "image"
  | "video"
  | "audio"
  | "pdf"
  | "html"
  | "markdown"
  | "table"
  | "parquet"
  | "json"
  | "text"
  | "npy"
  | "zip"
  | "pickle"
  | "none";

const LOOKS = new Map<string, Look>(
  (
    [
      ["image", "png jpg jpeg gif webp avif bmp svg"],
      ["video", "mp4 webm mov ogv mkv"],
      ["audio", "wav mp3 ogg flac"],
      ["pdf", "pdf"],
      ["html", "html htm"],
      ["markdown", "md markdown"],
      ["table", "csv tsv"],
      ["parquet", "parquet"],
      ["json", "json ipynb"],
      ["text", "txt log py yaml yml toml ini cfg sh c h cpp rs js ts css tex bib rst diff patch xml jsonl out err"],
      ["npy", "npy"],
      ["zip", "npz zip pt pth"],
      ["pickle", "pkl pickle"],
    ] as const
  ).flatMap(([look, suffixes]) => suffixes.split(" ").map((suffix) => [suffix, look] as const)),
);

export const suffixOf = (name: string): string => (name.includes(".") ? name.slice(name.lastIndexOf(".") + 1).toLowerCase() : "");

/** How a file is previewed. */
export const lookOf = (name: string): Look => LOOKS.get(suffixOf(name)) ?? "none";

const LOADERS = new Map(
  (
    [
      ["load_pkl", "pkl pickle"],
      ["load_np", "npy npz"],
      ["load_json", "json"],
      ["load_jsonl", "jsonl"],
      ["load_yaml", "yaml yml"],
      ["load_csv", "csv"],
      ["load_h5", "h5"],
      ["load_torch", "pt pth"],
      ["load_text", "txt md log py"],
    ] as const
  ).flatMap(([method, suffixes]) => suffixes.split(" ").map((suffix) => [suffix, method] as const)),
);

/** The line that loads a file: `logger.load_pkl("/sweep/a/metrics.pkl")`; a path from the root begins with a slash. */
export const loadLine = (path: string): string =>
  `logger.${LOADERS.get(suffixOf(path)) ?? "load_file"}(${JSON.stringify(`/${path}`)})`;
