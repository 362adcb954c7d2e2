/**
 * Embeddings from any server with OpenAI's `/v1/embeddings`.
 * May not know: what vectors are for.
 */
import { z } from "zod";
import { present, UserError } from "../util/errors.js";
import { postJson, type ServerOptions } from "../util/http.js";
import { openingOf } from "../util/http-body.js";
import type { Embedder } from "./embeddings.js";

export interface EmbeddingServer extends Omit<ServerOptions, "signal"> {
  /** Mostly ending in /v1. */
  readonly baseUrl: string;
  readonly model: string;
  /** Texts in one request; default 64. */
  readonly batch?: number;
}

const LARGEST_DIMENSIONS = 65_536;
const schema = z.object({
  data: z.array(z.object({ index: z.number().int().nonnegative(), embedding: z.array(z.number()).min(1) })),
});

/** Shortest texts first, so that a server that pads wastes little. Any request that fails in the end stops all: a missing point would bias every mean. */
export function serverEmbedder({ baseUrl, model, batch = 64, ...options }: EmbeddingServer): Embedder {
  const url = `${baseUrl.replace(/\/+$/, "")}/embeddings`;
  return {
    fingerprint: JSON.stringify([url, model]),
    async *embed(texts, signal) {
      const order = [...texts.keys()].sort((a, b) => (texts[a] ?? "").length - (texts[b] ?? "").length || a - b);
      for (let start = 0; start < order.length; start += batch) {
        const places = order.slice(start, start + batch);
        const input = places.map((i) => texts[i] || " "); // OpenAI refuses the empty text
        const vectors = await ask(url, { model, input, encoding_format: "float" }, input.length, {
          ...options,
          signal,
        });
        for (const [i, place] of places.entries())
          yield { id: String(place), vector: vectors[i] ?? new Float32Array() };
      }
    },
  };
}

async function ask(url: string, body: object, expected: number, options: ServerOptions): Promise<Float32Array[]> {
  const asked = await postJson(url, body, options);
  if (asked.kind === "failed") {
    throw new UserError(`${url}: ${asked.reason}`, {
      remedy: "what was embedded is kept; give the same command again",
    });
  }
  const refuse = (why: string): never => {
    throw new UserError(`${url}: ${why}`, { remedy: "is this an OpenAI-compatible /v1/embeddings?" });
  };
  const reply = schema.safeParse(asked.body);
  if (!reply.success) return refuse(`the reply holds no embeddings: ${openingOf(JSON.stringify(asked.body) ?? "")}`);
  const { data } = reply.data;
  const vectors = new Map<number, Float32Array>();
  for (const { index, embedding } of data) {
    if (embedding.length > LARGEST_DIMENSIONS) refuse(`a vector of ${embedding.length} numbers`);
    const vector = Float32Array.from(embedding);
    if (!vector.every(Number.isFinite)) refuse("a vector holds numbers that are too large");
    if (index < expected) vectors.set(index, vector);
  }
  if (vectors.size !== expected || data.length !== expected) {
    refuse(`${data.length} embeddings for ${expected} texts, of which ${vectors.size} have one`);
  }
  const inOrder = Array.from({ length: expected }, (_, i) => present(vectors.get(i), `vector ${i}`));
  if (inOrder.some(({ length }) => length !== inOrder[0]?.length))
    refuse(`${data.length} embeddings for ${expected} texts, of different lengths`);
  return inOrder;
}
