/**
 * Reads token rows of different lengths into a cache, a chunk at a time.
 * May not know: sampling, what the hidden states are for.
 */
import type { Tensor } from "../runtime/device.js";
import { type Body, CHUNK } from "./body.js";
import type { Cache } from "./cache.js";

/**
 * Appends `rows[i]` to row i of the cache, `CHUNK` tokens of each row at a time.
 *
 * @param onChunk given the hidden states [N, D] of every chunk, and how many tokens of each row came before it and are in it
 */
export async function prefill(
  body: Body,
  cache: Cache,
  rows: readonly (readonly number[])[],
  options: {
    readonly signal?: AbortSignal | undefined;
    readonly onChunk?: (hidden: Tensor, done: number, counts: readonly number[]) => Promise<void> | void;
  } = {},
): Promise<void> {
  const longest = rows.reduce((most, row) => Math.max(most, row.length), 0);
  for (let done = 0; done < longest; done += CHUNK) {
    options.signal?.throwIfAborted();
    const chunk = Array.from({ length: cache.rows }, (_, row) => (rows[row] ?? []).slice(done, done + CHUNK));
    const hidden = await body.run(cache, chunk, CHUNK);
    await options.onChunk?.(
      hidden,
      done,
      chunk.map(({ length }) => length),
    );
  }
}
