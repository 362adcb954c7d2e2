/**
 * Embeddings from any server with OpenAI's `/v1/embeddings`.
 * May not know: what vectors are for.
 */
import { z } from "zod";
import { openingOf } from "../openai/body.js";
import { type Client, openClient } from "../openai/client.js";
import { realClock } from "../openai/clock.js";
import { estimateTokens } from "../openai/cost.js";
import { openTransport, urlOf } from "../openai/transport.js";
import type { ServerWords } from "../openai/words.js";
import { type Limits, limitsSchema } from "../records/judge-file.js";
import { present, UserError } from "../util/errors.js";
import { inParallel } from "../util/parallel.js";
import type { Embedder } from "./embeddings.js";

export interface EmbeddingServer {
  /** Mostly ending in /v1. */
  readonly baseUrl: string;
  readonly model: string;
  /** The variable that holds the key; without: OPENAI_API_KEY, where that is set. */
  readonly apiKeyEnv?: string | undefined;
  /** Texts in one request; default 64. */
  readonly batch?: number;
  /** As a judge's; `concurrency` defaults to 4. */
  readonly limits?: Partial<Limits> | undefined;
}

const words: ServerWords = {
  who: "the embedding server",
  address: "the server's URL",
  model: "the model's name",
  where: "",
  refused: "check that it is a model for embeddings, and how long a text it takes",
};

const LARGEST_DIMENSIONS = 65_536;
const schema = z.object({
  data: z.array(z.object({ index: z.number().int().nonnegative(), embedding: z.array(z.number()).min(1) })),
});

interface Batch {
  /** For messages of the client; no ledger holds it: vectors are kept by text. */
  readonly key: string;
  /** Where in the list its texts stand. */
  readonly places: readonly number[];
  readonly input: readonly string[];
}

/**
 * Shortest texts first, so that a server that pads wastes little. Any request that fails in the end stops all: a missing point would bias
 * every mean.
 *
 * @throws UserError  a variable is named for the key and not set
 */
export function serverEmbedder({ baseUrl, model, apiKeyEnv, batch = 64, limits: given }: EmbeddingServer): Embedder {
  const limits = limitsSchema.parse({ concurrency: 4, ...given });
  const server = {
    baseUrl,
    api: "embeddings",
    model,
    apiKeyEnv,
    timeoutSeconds: limits.timeout_seconds,
    words,
  } as const;
  const post = openTransport(server);
  const url = urlOf(server);
  return {
    computedBy: { files: model, engine: "server", precision: "f32", threads: null, device: url, version: "v1" },
    settings: null,
    async *embed(texts, signal) {
      const client = openClient<Batch>({
        send: ({ input }) => post({ model, input, encoding_format: "float" }),
        server: baseUrl,
        words,
        limits,
        estimate: ({ input }) => {
          const bytes = input.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
          return { input: estimateTokens(bytes, 0), output: 0 };
        },
        clock: realClock,
        signal,
        earlier: 0,
      });
      const batches = batchesOf(texts, batch);
      for await (const { places, vectors } of inParallel(batches, limits.concurrency, (one) => ask(client, url, one))) {
        for (const [i, place] of places.entries()) yield { id: String(place), vector: present(vectors[i], "vector") };
      }
    },
  };
}

function batchesOf(texts: readonly string[], size: number): Batch[] {
  const order = [...texts.keys()].sort((a, b) => (texts[a] ?? "").length - (texts[b] ?? "").length || a - b);
  return Array.from({ length: Math.ceil(order.length / size) }, (_, i) => {
    const places = order.slice(i * size, (i + 1) * size);
    return { key: String(i), places, input: places.map((place) => texts[place] || " ") }; // OpenAI refuses the empty text
  });
}

async function ask(client: Client<Batch>, url: string, batch: Batch) {
  const answer = await client.ask(batch);
  if (answer.kind === "reply")
    return { places: batch.places, vectors: vectorsIn(answer.body, url, batch.input.length) };
  throw new UserError(`${url}: ${answer.kind === "unpaid" ? "no money is left" : answer.reason}`, {
    remedy: "what was embedded is kept; give the same command again",
  });
}

/** @throws UserError  they are not one for each text */
function vectorsIn(body: unknown, url: string, expected: number): Float32Array[] {
  const refuse = (why: string): never => {
    throw new UserError(`${url}: ${why}`, { remedy: "is this an OpenAI-compatible /v1/embeddings?" });
  };
  const reply = schema.safeParse(body);
  if (!reply.success) return refuse(`the reply holds no embeddings: ${openingOf(JSON.stringify(body) ?? "")}`);
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
