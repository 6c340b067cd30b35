// How the page asks the server: questions, commands and files over fetch. Knows no React and keeps no answers.
import type { AnswerOf, AnyCommand, AnyQuery, Done, GetSeries, Json } from "./types";

/** Questions that are answered as JSON (series and file bytes are not). */
export type JsonQuery = Exclude<AnyQuery, { type: "get_series" } | { type: "read_file" }>;

/** An error as the server words it: `kind` is the class in errors.py, `fields` what it carries (`position`, `reason`, …). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly kind: string,
    message: string,
    readonly fields: Record<string, Json> = {},
  ) {
    super(message);
    this.name = "ApiError";
  }
}

export const isSignedOut = (error: unknown): boolean => error instanceof ApiError && error.status === 401;

/** Browsers refuse longer bodies of requests that outlive their page. */
const MOST_KEPT = 30_000;

/** The server could not be reached at all. */
export class OfflineError extends Error {
  override name = "OfflineError";
}

/** Where the server's routes begin: "" or its root path ("/ml"), found from where this script was loaded. */
export const rootPath = rootOf(import.meta.url);

/** `https://host/ml/assets/client-x.js` → `/ml`; in development, where scripts come from /src, "". */
export function rootOf(script: string): string {
  const path = new URL(script).pathname;
  const end = path.lastIndexOf("/assets/");
  return end < 0 ? "" : path.slice(0, end);
}

async function send(path: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    const headers = { ...init.headers, "X-MLL": "1" }; // no form or image of another page can send this
    response = await fetch(rootPath + path, { credentials: "same-origin", ...init, headers });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new OfflineError("the server cannot be reached");
  }
  if (!response.ok) throw await wireError(response);
  return response;
}

async function wireError(response: Response): Promise<ApiError> {
  let body: Record<string, Json> = {};
  try {
    body = (await response.json()) as Record<string, Json>;
  } catch {
    // a proxy's page, not our server's error: its status is all there is
  }
  const { error, message, ...fields } = body;
  return new ApiError(response.status, String(error ?? "HttpError"), String(message ?? `HTTP ${response.status}`), fields);
}

/** With `keepalive` the request is carried out even if the page is left meanwhile. */
function post(path: string, body: unknown, signal?: AbortSignal, keepalive = false): Promise<Response> {
  const text = JSON.stringify(body);
  const headers = { "Content-Type": "application/json" };
  const init: RequestInit = { method: "POST", headers, body: text, keepalive: keepalive && text.length < MOST_KEPT };
  return send(path, signal ? { ...init, signal } : init);
}

/** Ask a question that is answered as JSON. Throws ApiError, OfflineError or an AbortError. */
export async function ask<Q extends JsonQuery>(query: Q, signal?: AbortSignal): Promise<AnswerOf[Q["type"]]> {
  const response = await post("/v1/query", query, signal);
  return (await response.json()) as AnswerOf[Q["type"]];
}

/** Ask for series, one question or several at once: the raw body, which `math/columns` decodes. */
export async function seriesBody(query: GetSeries | readonly GetSeries[], signal: AbortSignal): Promise<ArrayBuffer> {
  const response = await post("/v1/query", query, signal);
  return response.arrayBuffer();
}

/** Change something that users keep beside runs. */
export async function command(change: AnyCommand): Promise<Done> {
  const response = await post("/v1/command", change, undefined, true);
  return (await response.json()) as Done;
}

/** Where the bytes of a file are, for `src`, `href` and fetch; each part of the key is escaped. */
export function fileUrl(key: string): string {
  return `${rootPath}/v1/files/${key.split("/").map(encodeURIComponent).join("/")}`;
}

/** Bytes [start, stop) of a file, or all of it. */
export async function readFile(key: string, range?: [number, number], signal?: AbortSignal): Promise<ArrayBuffer> {
  const headers: HeadersInit = range ? { Range: `bytes=${range[0]}-${range[1] - 1}` } : {};
  const response = await send(fileUrl(key).slice(rootPath.length), signal ? { headers, signal } : { headers });
  return response.arrayBuffer();
}

/** Exchange a one-time code (or a token) for the session cookie. */
export async function exchangeCode(code: string): Promise<void> {
  await post("/v1/session", { code });
}
