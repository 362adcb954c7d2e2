/**
 * A text to a server and back: the one place that sends anything. Bounded in time and in size, whatever the server does.
 * May not know: what is in a text, how often to try.
 */

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
 * waiting forever by a server that sends a byte now and then, once its request has been collected as garbage.
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
