/**
 * JSON to a server and back, with bounds, a time limit and further attempts where these may help. The key is sent in one header and
 * nowhere else: whatever comes back is cleaned of it before anything is done with it.
 * May not know: what is asked.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "./errors.js";
import { readBody } from "./http-body.js";
import { complaintOf, errorIn, type Failure, failureOf, networkFailure, type Remedies } from "./http-failure.js";

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
    throw new UserError(`${variable} holds characters that no key has`, { remedy: "set it again" });
  }
  return key;
}

/**
 * @throws UserError  no request to this server will work before somebody changes something: unknown address, wrong key
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
  const clean = textCleaner(key);
  const headers = {
    "content-type": "application/json",
    ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
  };
  try {
    const sent = { url, headers, body: JSON.stringify(body), seconds: timeoutSeconds, largest: largestBytes, signal };
    const { response, text } = await exchange(sent);
    return read(response, clean(text), url);
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof UserError) throw error;
    return cleaner(key)(unreachable(error, url, timeoutSeconds)) as Attempt;
  }
}

export interface Exchange {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** From the first byte out to the last one in. */
  readonly seconds: number;
  /** Bytes of the reply, unpacked. */
  readonly largest: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends a text and waits for the whole of what comes back, no longer than is said, whatever the server does: `fetch` alone can be kept
 * waiting for ever by a server that sends a byte now and then, once its request has been collected as garbage.
 *
 * @throws Error  `TimeoutError`; the reply is larger; what the network did
 * @throws the signal's reason
 */
export async function exchange({
  url,
  headers,
  body,
  seconds,
  largest,
  signal,
}: Exchange): Promise<{ response: Response; text: string }> {
  const end = new AbortController();
  const over = new Promise<never>((_, reject) => {
    end.signal.addEventListener("abort", () => reject(end.signal.reason as Error), { once: true });
  });
  over.catch(() => undefined); // where nobody waits for it any more
  const stop = (): void => end.abort(signal?.reason);
  signal?.addEventListener("abort", stop, { once: true });
  const timer = setTimeout(
    () => end.abort(new DOMException("no reply in time", "TimeoutError")),
    Math.ceil(1000 * seconds),
  );
  try {
    // The key is for this address: a redirect is an answer like any other.
    const init = { method: "POST", headers, body, redirect: "manual", signal: end.signal } as const;
    const response = await Promise.race([fetch(url, init), over]);
    return { response, text: await boundedText(response, largest, over) };
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", stop);
  }
}

async function boundedText(response: Response, largest: number, over: Promise<never>): Promise<string> {
  const reader = response.body?.getReader();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    while (reader !== undefined) {
      const { done, value } = await Promise.race([reader.read(), over]);
      if (done) break;
      bytes += value.byteLength;
      if (bytes > largest) throw new Error(`a reply of more than ${largest} bytes`);
      chunks.push(value);
    }
    return Buffer.concat(chunks).toString("utf8");
  } catch (error) {
    reader?.cancel().catch(() => undefined); // frees the connection; the error is the one to tell
    throw error;
  }
}

function read({ status, headers }: Response, text: string, url: string): Attempt {
  const waitMs = retryAfter(headers, Date.now());
  if (status === 200) {
    const body = readBody(text);
    if (body.kind !== "value") return { kind: "again", reason: body.reason, waitMs: undefined };
    const complaint = errorIn(body.value);
    if (complaint === undefined) return { kind: "reply", body: body.value };
    return attemptOf(failureOf(complaint, waitMs, remedies), url);
  }
  return attemptOf(failureOf(complaintOf(status, text), waitMs, remedies), url);
}

/** @throws UserError  no other request would fare better */
function attemptOf(failure: Failure, url: string): Attempt {
  if (failure.kind === "hopeless") throw new UserError(`${url}: ${failure.error}`, { remedy: failure.remedy });
  if (failure.kind === "again") return { kind: "again", reason: failure.error, waitMs: failure.waitMs };
  return { kind: "failed", reason: failure.error, refused: true };
}

/** `retry-after-ms`, or `retry-after` in seconds or as a date. */
export function retryAfter(headers: Headers, now: number): number | undefined {
  const ms = Number(headers.get("retry-after-ms")?.trim() || Number.NaN);
  if (ms >= 0 && Number.isFinite(ms)) return ms;
  const text = headers.get("retry-after")?.trim();
  if (text === undefined || text === "") return undefined;
  if (/^\d{1,15}(\.\d+)?$/.test(text)) return Number(text) * 1000;
  const date = /^[A-Za-z]{3}/.test(text) ? Date.parse(text) : Number.NaN; // a bare number that is no delay is no date
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

const remedies: Remedies = {
  key: "check the key in the environment, and what it may do",
  rights: "check the key in the environment, and what it may do",
  missing: "check the URL (mostly it ends in /v1) and the model's name",
  address: "check the URL (mostly it ends in /v1) and the model's name",
};

/**
 * Takes the key out of a text that may be JSON, in whichever way it is written there. Servers repeat it.
 *
 * @returns the same JSON but for the key
 */
export function textCleaner(key: string | undefined): (text: string) => string {
  if (key === undefined || key.length < SHORTEST_SECRET) return (text) => text;
  const escaped = JSON.stringify(key).slice(1, -1);
  return (text) => unescaped(text).replaceAll(escaped, "[key]").replaceAll(key, "[key]");
}

/** JSON with escapes of plain characters undone: `\\u0073` and `s` are one string. Other text stays readable. */
const unescaped = (text: string): string =>
  text.includes("\\")
    ? text.replace(/\\(?:u00([2-7][0-9a-f])|(.))/gis, (whole, code: string | undefined, next: string | undefined) => {
        const plain =
          code === undefined ? (next === "/" ? "/" : undefined) : String.fromCharCode(Number.parseInt(code, 16));
        return plain === undefined || plain === '"' || plain === "\\" || plain === "\u007f" ? whole : plain;
      })
    : text;

/** "none" and the like are no secrets. */
const SHORTEST_SECRET = 5;

/** Takes the key out of every string of a value. */
export function cleaner(key: string | undefined): (value: unknown) => unknown {
  if (key === undefined || key.length < SHORTEST_SECRET) return (value) => value;
  const clean = (value: unknown): unknown => {
    if (typeof value === "string") return value.replaceAll(key, "[key]");
    if (Array.isArray(value)) return value.map(clean);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [clean(name), clean(item)]));
  };
  return clean;
}

function unreachable(error: unknown, url: string, seconds: number): Attempt {
  const failure = networkFailure(error, url, seconds, { ...remedies, address: "start the server, or check its URL" });
  if (failure.code === "ECONNREFUSED") {
    throw new UserError(`cannot reach ${url}: ECONNREFUSED`, { remedy: "start the server, or check its URL" });
  }
  if (failure.kind === "hopeless") throw new UserError(failure.error, { remedy: failure.remedy });
  return attemptOf(failure, url);
}
