// A Parquet file: its columns and first rows, read by byte ranges, so that a large one costs no more than a small one. Loaded on demand.
import { useQuery } from "@tanstack/react-query";
import { type AsyncBuffer, type FileMetaData, parquetMetadataAsync, parquetReadObjects, parquetSchema } from "hyparquet";
import { decompressBrotli, decompressGzip, decompressLz4, decompressLz4Raw, decompressZstd } from "hyparquet-compressors";
import { readFile } from "../api/client";
import type { FileEntry } from "../api/types";
import { grouped } from "../ui/numbers";
import styles from "./Files.module.css";
import { TableText } from "./TableText";

const ROWS = 100;
/** All that Parquet knows; hyparquet reads Snappy by itself, without WebAssembly, which the page's policy forbids. */
const COMPRESSORS = {
  GZIP: decompressGzip,
  BROTLI: decompressBrotli,
  LZ4: decompressLz4,
  LZ4_RAW: decompressLz4Raw,
  ZSTD: (input: Uint8Array) => decompressZstd(input),
};

interface Look {
  columns: { name: string; type: string }[];
  rows: string[][];
  total: number;
  failed: string;
}

export default function ParquetPreview({ file }: { file: FileEntry }) {
  const { data, error } = useQuery({
    queryKey: ["parquet", file.path, file.modified],
    queryFn: () => lookInto({ byteLength: file.size, slice: (start, end = file.size) => readFile(file.path, [start, end]) }),
    gcTime: 30_000,
    retry: false,
  });
  if (error) return <p className={styles.hint}>Not read as Parquet: {error.message}</p>;
  if (!data) return null;
  return (
    <div className={styles.content} role="group" tabIndex={0} aria-label="Preview">
      <p className={styles.note}>
        {grouped(data.total)} rows × {grouped(data.columns.length)} columns
        {data.rows.length < data.total && data.rows.length > 0 && `, the first ${data.rows.length}`}
      </p>
      {data.failed && <p className={styles.note}>Its rows are not read here: {data.failed}</p>}
      <TableText head={data.columns.map(({ name }) => name)} under={data.columns.map(({ type }) => type)} rows={data.rows} />
    </div>
  );
}

async function lookInto(file: AsyncBuffer): Promise<Look> {
  const metadata = await parquetMetadataAsync(file);
  const columns = columnsOf(metadata);
  const total = Number(metadata.num_rows);
  try {
    const found = await parquetReadObjects({ file, metadata, rowEnd: Math.min(ROWS, total), compressors: COMPRESSORS });
    return { columns, total, failed: "", rows: found.map((row) => columns.map(({ name }) => textOf(row[name]))) };
  } catch (error) {
    return { columns, total, failed: String(error instanceof Error ? error.message : error), rows: [] };
  }
}

function columnsOf(metadata: FileMetaData): Look["columns"] {
  return parquetSchema(metadata).children.map(({ element, children }) => ({
    name: element.name,
    type: children.length ? "nested" : (element.logical_type?.type ?? element.converted_type ?? element.type ?? "").toLowerCase(),
  }));
}

function textOf(value: unknown): string {
  if (value === null || value === undefined) return "–";
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (typeof value === "object") return JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? Number(inner) : inner));
  return String(value);
}
