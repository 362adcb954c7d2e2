/**
 * JSON to a server and back, with bounds, a time limit and further attempts where these may help. The key is sent in one header and
 * nowhere else: whatever comes back is cleaned of it before anything is done with it.
 * May not know: what is asked.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { reasonOf, UserError } from "./errors.js";
import { tryJson } from "./json.js";

export interface ServerOptions {
  /** Default: none is sent. */
  readonly key?: string | undefined;
  /** For one attempt; default 120. */
  readonly timeoutSeconds?: number;
  /** Of a reply; default 64 MiB. */
  readonly largestBytes?: number;
  /** Attempts in all; default 5. */
  readonly attempts?: number;
  /** Before the second attempt, doubled before each further one, unless the server says how long; default 1. */
  readonly firstWaitSeconds?: number;
  readonly signal?: AbortSignal | undefined;
}

/** What came of a request in the end. */
export type Asked =
  | { readonly kind: "reply"; readonly body: unknown }
  /** `refused`: this request would be again. Else it failed at every attempt, and may work another time. */
  | { readonly kind: "failed"; readonly reason: string; readonly refused: boolean };

type Attempt = Asked | { readonly kind: "again"; readonly reason: string; readonly waitMs: number | undefined };

/** The longest that a server may make us wait. */
const LONGEST_WAIT_MS = 120_000;

/**
 * The key in an environment variable; undefined where it is not set.
 *
 * @throws UserError  it holds what no key holds, such as a line break
 */
export function keyFrom(variable: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const key = env[variable]?.trim() || undefined;
  if (key !== undefined && !/^[\x21-\x7e]+$/.test(key)) {
    throw new UserError(`${variable} holds characters that no key has`, { remedy: "set it anew" });
  }
  return key;
}

/**
 * @throws UserError  no request to this server will work before somebody mends something: unknown address, wrong key
 * @throws the signal's reason  stopped
 */
export async function postJson(url: string, body: object, options: ServerOptions = {}): Promise<Asked> {
  const { attempts = 5, firstWaitSeconds = 1, signal } = options;
  for (let attempt = 1; ; attempt++) {
    const result = await once(url, body, options);
    if (result.kind !== "again") return result;
    if (attempt >= attempts) return { kind: "failed", reason: result.reason, refused: false };
    const wait = result.waitMs ?? 1000 * firstWaitSeconds * 2 ** (attempt - 1);
    await sleep(Math.min(wait, LONGEST_WAIT_MS), undefined, { ...(signal === undefined ? {} : { signal }) }).catch(
      () => {
        signal?.throwIfAborted();
      },
    );
  }
}

async function once(url: string, body: object, options: ServerOptions): Promise<Attempt> {
  const { key, timeoutSeconds = 120, largestBytes = 64 * 2 ** 20, signal } = options;
  signal?.throwIfAborted();
  const limit = AbortSignal.timeout(1000 * timeoutSeconds);
  const clean = cleaner(key);
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) },
      body: JSON.stringify(body),
      redirect: "manual", // the key is for this address
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    });
    return read(response, clean(await boundedText(response, largestBytes)) as string, url);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof UserError) throw error;
    return unreachable(error, url, timeoutSeconds);
  }
}

/** @throws Error  the reply is larger */
export async function boundedText(response: Response, largest: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > largest) throw new Error(`a reply of more than ${largest} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function read(response: Response, text: string, url: string): Attempt {
  const { status, headers } = response;
  const body = parsedJson(text);
  if (status === 200 && body !== undefined) return { kind: "reply", body };
  if (status === 200) return { kind: "again", reason: "the reply is not JSON", waitMs: undefined };
  const reason = `${status} ${messageOf(body, text)}`.trim();
  const remedy = remedyFor(status);
  if (remedy !== undefined) throw new UserError(`${url}: ${reason}`, { remedy });
  const passing = [408, 409, 425, 429].includes(status) || status >= 500;
  return passing
    ? { kind: "again", reason, waitMs: retryAfter(headers, Date.now()) }
    : { kind: "failed", reason, refused: true };
}

function remedyFor(status: number): string | undefined {
  if (status === 401 || status === 403) return "check the key in the environment, and what it may do";
  if (status === 402) return "the account has nothing left to spend";
  if (status === 404 || status === 405 || (status >= 300 && status < 400)) {
    return "check the URL (mostly it ends in /v1) and the model's name";
  }
  return undefined;
}

/** The server's own words, which may be long and may be anything. */
function messageOf(body: unknown, text: string): string {
  const error = (body as { readonly error?: unknown } | null | undefined)?.error;
  const message = typeof error === "string" ? error : (error as { readonly message?: unknown } | undefined)?.message;
  return (typeof message === "string" ? message : text).replace(/\s+/g, " ").trim().slice(0, 300);
}

/** `retry-after-ms`, or `retry-after` in seconds or as a date. */
export function retryAfter(headers: Headers, now: number): number | undefined {
  const ms = Number(headers.get("retry-after-ms") ?? Number.NaN);
  if (ms >= 0) return ms;
  const text = headers.get("retry-after")?.trim();
  if (text === undefined || text === "") return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/** Undefined where it is not JSON: the caller says so. */
export function parsedJson(text: string): unknown {
  const result = tryJson(text); // bounded: what walks through a reply recurses
  return "value" in result ? result.value : undefined;
}

/** Takes the key out of every string of a value. Servers repeat it in error texts. */
export function cleaner(key: string | undefined): (value: unknown) => unknown {
  if (key === undefined || key.length < 5) return (value) => value; // "none" and the like are no secrets
  const clean = (value: unknown): unknown => {
    if (typeof value === "string") return value.replaceAll(key, "[key]");
    if (Array.isArray(value)) return value.map(clean);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [clean(name), clean(item)]));
  };
  return clean;
}

function unreachable(error: unknown, url: string, seconds: number): Attempt {
  if (error instanceof Error && error.name === "TimeoutError") {
    return { kind: "again", reason: `no reply within ${seconds} s`, waitMs: undefined };
  }
  const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException | undefined) : undefined;
  const code = cause?.code;
  if (code === "ENOTFOUND" || code === "ERR_INVALID_URL" || code === "ECONNREFUSED") {
    throw new UserError(`cannot reach ${url}: ${code}`, { remedy: "start the server, or check its URL" });
  }
  return { kind: "again", reason: code ?? cause?.message ?? reasonOf(error), waitMs: undefined };
}
