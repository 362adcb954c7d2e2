/**
 * Adherence to the finetuning style, from files to files: outputs, the data that the model was tuned on, responses in general, and an encoder in; a
 * point for each response and a summary out. The command, the library and studies call this one function.
 *
 * Embeddings go to a ledger, from which a stopped run resumes and other runs may take them.
 */

import { dirname, join } from "node:path";
import { collectExamples } from "../data/load.js";
import { parseDataSpec } from "../data/spec.js";
import type { Engine } from "../engine/engine.js";
import { embedding, refuseTooLarge } from "../engine/refusals.js";
import { givenOutputs, type OutputSet, readOutputs } from "../judge/pairs.js";
import { decidingFiles } from "../model-files/hash.js";
import { similarityOptions } from "../options/measure.js";
import { type Emitter, EVENTS_FILE, type Watch, watched } from "../records/events.js";
import type { Output } from "../records/outputs.js";
import {
  type EmbeddingLine,
  embeddingLineSchema,
  type SimilarityPoint,
  type SimilaritySummary,
  similarityPointSchema,
  similaritySummarySchema,
} from "../records/similarity.js";
import { type AdherencePoint, adherence, extremes } from "../similarity/adherence.js";
import { type Embedder, embedTexts, encoderEmbedder, type VectorCache } from "../similarity/embeddings.js";
import { serverEmbedder } from "../similarity/server.js";
import { clusteredMean } from "../stats/cluster.js";
import { toEstimateRecord } from "../stats/estimate.js";
import { rankCorrelation } from "../stats/rank-correlation.js";
import { present, UserError } from "../util/errors.js";
import { makeDirectory, sha256File } from "../util/files.js";
import { type Ledger, openLedger } from "../util/ledger.js";
import { lockPathOf, waitForLock } from "../util/lock.js";
import { type Defaulted, type OptionsOf, withDefaults } from "../util/options.js";
import { recordLine, recordText } from "../util/record-file.js";
import { openResult } from "../util/result.js";
import { packageVersion, secondsSince } from "../util/system.js";
import { option, words } from "../util/words.js";
import { engineOf } from "./open-engine.js";
import { limitsIn } from "./server-limits.js";

/** What a row must have; the rest may be absent. */
export type GivenOutput = Partial<Output> & Pick<Output, "instruction" | "output">;

export interface SimilarityOptions extends Omit<OptionsOf<typeof similarityOptions>, "outputs"> {
  /** Answers in AlpacaEval's format: a file, or the answers, as `generate` gives them. */
  readonly outputs: string | readonly GivenOutput[];
  /** Default: the embedded engine. */
  readonly engine?: Engine;
}

export const similarityPaths = (out: string) => ({
  points: join(out, "points.jsonl"),
  summary: join(out, "summary.json"),
  embeddings: join(out, "embeddings.jsonl"),
  events: join(out, EVENTS_FILE),
});

/**
 * @throws UserError  results already exist, a file cannot be read, or the encoder is not supported
 * @throws the signal's reason  stopped; what was embedded is in the ledger
 */
export const similarity = (options: SimilarityOptions, watch: Watch = {}): Promise<SimilaritySummary> =>
  watched("similarity", watch, (say) =>
    measureAdherence(withDefaults(similarityOptions, options), engineOf(options), say, watch.signal),
  );

type Settled = SimilarityOptions & Defaulted<typeof similarityOptions>;

async function measureAdherence(
  options: Settled,
  engine: Engine,
  say: Emitter,
  signal: AbortSignal | undefined,
): Promise<SimilaritySummary> {
  const started = performance.now();
  const { out, outputs, task, reference, force } = options;
  const { points, summary } = similarityPaths(out);
  const inputs = [
    ...(await decidingFiles(options.encoder)),
    ...(typeof outputs === "string" ? [outputs] : []),
    ...[task, reference].flatMap((spec) => (spec === undefined ? [] : parseDataSpec(spec).path)),
  ];
  await using result = await openResult({ main: points, beside: [summary], inputs, force });
  const material = {
    outputs: typeof outputs === "string" ? await readOutputs(outputs) : givenOutputs(outputs),
    task: await readData(task, options.limit),
    reference: reference === undefined ? undefined : await readData(reference, options.limit),
  };
  await using opened = await openEmbedder(options, engine, say);
  await say.keepIn(similarityPaths(out).events);
  const found = await measure(options, material, opened, say, signal);
  const seconds = secondsSince(started);
  const record = similaritySummarySchema.parse({ ...found.summary, seconds });
  await result.write(points, found.points.map(recordLine));
  await result.write(summary, recordText(record));
  await result.commit();
  return record;
}

interface SimilarityMaterial {
  readonly outputs: OutputSet;
  readonly task: Exchanges;
  readonly reference: Exchanges | undefined;
}

/** Embeds what the ledger does not hold, and says where every response lies. */
async function measure(
  options: Settled,
  { outputs, task, reference }: SimilarityMaterial,
  { embedder, record }: OpenEmbedder,
  say: Emitter,
  signal: AbortSignal | undefined,
) {
  await using ledger = await openEmbeddings(options.cache ?? similarityPaths(options.out).embeddings, say, signal);
  const cache = cacheOn(ledger);
  const texts = layOut(outputs, task, reference);
  const { prefix, statistic, show } = options;
  const vectors = await embedTexts(embedder, texts.all, { cache, prefix, say, signal });
  const places = adherence(texts.apart(vectors), statistic);
  const points = places.map((place, i) => pointOf(place, outputs, i));
  const distinct = [...new Set(texts.all)];
  const summary: Omit<SimilaritySummary, "seconds"> = {
    version: 1,
    command: "similarity",
    tacit: packageVersion(),
    outputs: {
      path: outputs.path,
      hash: outputs.sha256,
      generators: [outputs.generator],
      n: outputs.rows.length,
      empty: outputs.rows.filter(({ output }) => output.trim() === "").length,
    },
    task: task.record,
    reference: reference?.record ?? null,
    embedder: record(distinct.map((words) => prefix + words)),
    dimensions: present(vectors[0], "vector").length,
    prefix,
    statistic,
    texts: { distinct: distinct.length, computed: cache.added(), reused: distinct.length - cache.added() },
    ...statisticsOf(places),
    extremes: extremesOf(places, points, show),
  };
  return { points, summary };
}

/** Runs that share a cache take turns: each appends to it. */
async function openEmbeddings(
  path: string,
  say: Emitter,
  signal: AbortSignal | undefined,
): Promise<Pick<Ledger<EmbeddingLine>, "lines" | "append"> & AsyncDisposable> {
  await makeDirectory(dirname(path));
  const lock = await waitForLock(lockPathOf(path), path, {
    signal,
    onWait: () => say.note(`waiting for another run that adds to ${path}`),
  });
  try {
    const ledger = await openLedger(path, (line) => embeddingLineSchema.parse(line));
    return { ...ledger, [Symbol.asyncDispose]: () => ledger.close().finally(() => lock.release()) };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

interface Exchanges {
  readonly instructions: readonly string[];
  readonly responses: readonly string[];
  readonly record: SimilaritySummary["task"];
}

/** Of a dialogue the first exchange. */
async function readData(specText: string, limit: number | "all" | undefined): Promise<Exchanges> {
  const spec = parseDataSpec(specText);
  const { examples } = await collectExamples(spec, limit === undefined ? {} : { limit });
  const message = (i: number): string[] => examples.map(({ messages }) => messages[i]?.content ?? "");
  const record = { spec: specText, hash: await sha256File(spec.path), examples: examples.length };
  return { instructions: message(0), responses: message(1), record };
}

/** All texts as one list, and its vectors apart again. */
function layOut({ rows }: OutputSet, task: Exchanges, reference: Exchanges | undefined) {
  const parts = [
    rows.map(({ instruction }) => instruction),
    rows.map(({ output }) => output),
    task.instructions,
    task.responses,
    reference?.responses ?? [],
  ];
  const apart = (vectors: readonly Float64Array[]) => {
    let start = 0;
    const [instructions = [], responses = [], taskInstructions = [], taskResponses = [], others = []] = parts.map(
      ({ length }) => {
        start += length;
        return vectors.slice(start - length, start);
      },
    );
    const referenceResponses = reference === undefined ? undefined : others;
    return { instructions, responses, taskInstructions, taskResponses, referenceResponses };
  };
  return { all: parts.flat(), apart };
}

interface OpenEmbedder extends AsyncDisposable {
  readonly embedder: Embedder;
  /** @param texts  all that took part, each once, with their prefix, whether embedded now or before */
  readonly record: (texts: readonly string[]) => SimilaritySummary["embedder"];
}

async function openEmbedder(options: Settled, engine: Engine, say: Emitter): Promise<OpenEmbedder> {
  return /^https?:\/\//.test(options.encoder) ? openServer(options) : openDirectory(options, engine, say);
}

function openServer({ encoder, apiKeyEnv, pooling, ...options }: SimilarityOptions): OpenEmbedder {
  const [baseUrl = "", model = ""] = encoder.split("#");
  if (model === "") throw new UserError(`${encoder} names no model`, { remedy: "write URL#MODEL" });
  if (pooling !== undefined) {
    throw new UserError("a server pools by itself", { remedy: words`leave ${option("pooling")} out` });
  }
  return {
    embedder: serverEmbedder({ baseUrl, model, apiKeyEnv, limits: limitsIn(options) }),
    record: () => ({ kind: "server", base_url: baseUrl, model }),
    [Symbol.asyncDispose]: async () => {},
  };
}

async function openDirectory(options: Settled, engine: Engine, say: Emitter): Promise<OpenEmbedder> {
  const encoder = await embedding(engine)(options.encoder, options.pooling);
  try {
    for (const note of encoder.notes) say.warning(note);
    refuseTooLarge(encoder, encoder.plan());
    const computedBy = await encoder.identity();
    const { pooling, text, limits } = encoder;
    const encode = (part: string): readonly number[] => text.encode(part, limits.maxTokens).ids;
    return {
      embedder: encoderEmbedder(encoder, { computedBy, settings: { pooling, ...limits } }, encode),
      record: (texts) => ({
        kind: "encoder",
        path: options.encoder,
        hash: computedBy.files,
        engine: computedBy.engine,
        pooling,
        max_tokens: limits.maxTokens,
        threads: computedBy.threads,
        cut: texts.filter((part) => text.encode(part, limits.maxTokens).cut).length,
      }),
      [Symbol.asyncDispose]: async () => encoder[Symbol.asyncDispose](),
    };
  } catch (error) {
    await encoder[Symbol.asyncDispose]();
    throw error;
  }
}

function cacheOn(ledger: Pick<Ledger<EmbeddingLine>, "lines" | "append">): VectorCache & { added(): number } {
  const known = new Map(ledger.lines.map(({ key, vector }) => [key, vector]));
  let added = 0;
  return {
    get(key) {
      const text = known.get(key);
      return text === undefined ? undefined : decode(text);
    },
    async add(key, vector) {
      const text = encode(vector);
      await ledger.append({ key, vector: text });
      known.set(key, text);
      added++;
    },
    added: () => added,
  };
}

/** Little-endian float32, as base64. */
function encode(vector: Float32Array): string {
  const bytes = Buffer.alloc(4 * vector.length);
  vector.forEach((x, i) => {
    bytes.writeFloatLE(x, 4 * i);
  });
  return bytes.toString("base64");
}

function decode(text: string): Float32Array {
  const bytes = Buffer.from(text, "base64");
  return Float32Array.from({ length: Math.floor(bytes.length / 4) }, (_, i) => bytes.readFloatLE(4 * i));
}

/** Nine digits hold a cosine of single-precision vectors. */
const rounded = (x: number): number => Number(x.toPrecision(9));

function pointOf({ x, y, toTask, toReference }: AdherencePoint, { rows }: OutputSet, index: number): SimilarityPoint {
  const { instruction, output } = present(rows[index], "output");
  const point = {
    index,
    instruction,
    output,
    x: rounded(x),
    y: rounded(y),
    to_task: rounded(toTask),
    to_reference: toReference === undefined ? null : rounded(toReference),
  };
  return similarityPointSchema.parse(point);
}

function statisticsOf(places: readonly AdherencePoint[]) {
  const [x, y] = [places.map((place) => place.x), places.map((place) => place.y)];
  return {
    mean_x: toEstimateRecord(clusteredMean(x.map((value) => [value]))),
    mean_y: toEstimateRecord(clusteredMean(y.map((value) => [value]))),
    correlation: toEstimateRecord(rankCorrelation(x, y)),
  };
}

function extremesOf(places: readonly AdherencePoint[], points: readonly SimilarityPoint[], count: number) {
  const found = extremes(places, count);
  const pick = (indices: readonly number[]): SimilarityPoint[] => indices.map((i) => present(points[i], "point"));
  return {
    highest_x: pick(found.highest_x),
    median_x: pick(found.median_x),
    lowest_x: pick(found.lowest_x),
    highest_y: pick(found.highest_y),
    lowest_y: pick(found.lowest_y),
  };
}
