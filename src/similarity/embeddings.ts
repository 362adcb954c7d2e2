/**
 * Embeddings of texts: each distinct one computed once, by whatever embeds, and kept by the hash of everything that decides it.
 * May not know: engines beyond their interface, tokenizers, files.
 */

import { type Identity, keyOf } from "../engine/identity.js";
import type { OpenedEncoder } from "../engine/opened.js";
import type { EmbedRequest, EmbedResult } from "../engine/requests.js";
import type { Emitter } from "../records/events.js";
import { present } from "../util/errors.js";
import { computeMissing } from "../util/missing.js";
import { normalized } from "./vectors.js";

/** A text to a vector, many at a time; vectors need not be normalised. */
export interface Embedder {
  readonly computedBy: Identity;
  /** What decides a vector besides that and the text. */
  readonly settings: unknown;
  /** One result a text, in any order; `id` is the text's place in the list. */
  embed(texts: readonly string[], signal?: AbortSignal): AsyncIterable<EmbedResult>;
}

/** What is known already, and what becomes known. */
export interface VectorCache {
  get(key: string): ArrayLike<number> | undefined;
  add(key: string, vector: Float32Array): Promise<void>;
}

export interface EmbedRun {
  readonly cache: VectorCache;
  /** Put in front of every text: some models want to be told what the text is for. */
  readonly prefix: string;
  readonly signal?: AbortSignal | undefined;
  readonly say?: Pick<Emitter, "begin" | "progress">;
}

/** A vector of length 1 for each text, in their order. Stops with the signal's reason; what was computed is in the cache. */
export async function embedTexts(embedder: Embedder, texts: readonly string[], run: EmbedRun): Promise<Float64Array[]> {
  const keys = texts.map((text) => keyOf(embedder.computedBy, [embedder.settings, run.prefix + text]));
  const items = texts.map((text, i) => ({ text: run.prefix + text, key: present(keys[i], "key") }));
  const distinct = new Set(keys);
  const reused = [...distinct].filter((key) => run.cache.get(key) !== undefined).length;
  run.say?.begin({ total: distinct.size, unit: "texts", reused });
  await computeMissing({
    items,
    key: (item) => item.key,
    known: (key) => run.cache.get(key) !== undefined,
    id: (_, place) => String(place),
    async *compute(missing) {
      let done = reused;
      const found = embedder.embed(
        missing.map(({ text }) => text),
        run.signal,
      );
      for await (const result of found) {
        yield result;
        done++; // not in the call: where nobody watches, its arguments are never made
        run.say?.progress({ done });
        run.signal?.throwIfAborted();
      }
    },
    keep: (key, { vector }: EmbedResult) => run.cache.add(key, vector),
  });
  return keys.map((key) => normalized(present(run.cache.get(key), "vector")));
}

/** An encoder held by an engine, behind the tokenizer that goes with it. */
export function encoderEmbedder(
  encoder: Pick<OpenedEncoder, "embed">,
  { computedBy, settings }: Pick<Embedder, "computedBy" | "settings">,
  encode: (text: string) => readonly number[],
): Embedder {
  return {
    computedBy,
    settings,
    embed: (texts, signal) =>
      encoder.embed(
        texts.map((text, i): EmbedRequest => ({ id: String(i), ids: encode(text) })),
        { signal },
      ),
  };
}
