/**
 * Reads token rows of different lengths into a cache, a chunk at a time.
 * May not know: sampling, what the hidden states are for.
 */
import type { Tensor } from "../runtime/device.js";
import { type Body, CHUNK } from "./body.js";
import type { Cache } from "./cache.js";

/**
 * Appends `rows[i]` to row i of the cache. Each chunk has `CHUNK` places a row whatever the rows' lengths; a single row of one token
 * included, so that one prompt's arithmetic is the same in any company.
 *
 * @param onChunk given the hidden states [rows*CHUNK, D] of every chunk, and how many tokens of each row came before it
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
    const ids: number[] = [];
    const counts: number[] = [];
    for (let row = 0; row < cache.rows; row++) {
      const tokens = rows[row] ?? [];
      for (let i = done; i < done + CHUNK; i++) ids.push(tokens[i] ?? 0);
      counts.push(Math.min(CHUNK, Math.max(0, tokens.length - done)));
    }
    const hidden = await body.run(cache, ids, CHUNK, counts);
    await options.onChunk?.(hidden, done, counts);
  }
}
