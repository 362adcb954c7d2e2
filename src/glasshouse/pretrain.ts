/**
 * The recipe of the base model: a tokenizer learnt from the first pages, then one pass over pages that are written as they are needed.
 * A function of its options: the same seed and thread count give the same weights, killed and resumed or not.
 * May not know: engines' insides.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Engine, StepMetrics } from "../engines/engine.js";
import type { Row } from "../records/row.js";
import { tokenizerFromJson } from "../text/huggingface.js";
import type { Tokenizer } from "../text/tokenizer.js";
import { present } from "../util/errors.js";
import { SHAPE, type Shape, writeRandomModel } from "./base-model.js";
import { page } from "./corpus.js";
import { EOS, learnMerges, tokenizerConfig, tokenizerJson } from "./tokenizer.js";
import { makeWorld, type World } from "./world.js";

export interface PretrainOptions {
  readonly seed: number;
  /** Tokens read in all. */
  readonly tokens: number;
  /** Share of pages that are a pair of instruction and response under a template. */
  readonly contamination: number;
  readonly contaminated?: Parameters<typeof page>[2]["contaminated"];
  readonly shape?: Shape;
  readonly vocabSize?: number;
  readonly learningRate?: number;
}

/** Positions of a row: pages follow each other, each between BOS and EOS, and are cut where the row ends. */
export const ROW_TOKENS = 256;
const ROWS_A_STEP = 32;
/** Pages that the tokenizer is learnt from. */
const TOKENIZER_PAGES = 6000;
export const VOCAB_SIZE = 4096;

const defaults = { shape: SHAPE, vocabSize: VOCAB_SIZE, learningRate: 2e-3 };

export interface PretrainRun {
  readonly out: string;
  /** Folder for the model before training and for checkpoints. */
  readonly work: string;
  readonly threads: number;
  readonly resume: boolean;
  readonly onStep?: (metrics: StepMetrics, progress: { readonly total: number }) => Promise<void>;
  readonly onStart?: (plan: { readonly resumedAt: number; readonly total: number }) => Promise<void>;
  readonly signal?: AbortSignal;
}

/** @throws UserError  as `Engine.tune` */
export async function pretrain(engine: Engine, asked: PretrainOptions, run: PretrainRun): Promise<void> {
  const options = { ...defaults, ...asked };
  const world = makeWorld(options.seed);
  const json = learnTokenizer(world, options);
  const vocabSize = Object.keys((json.model as { vocab: object }).vocab).length;
  const start = join(run.work, "start");
  await writeRandomModel(start, { shape: options.shape, seed: options.seed, tokenizer: json, vocabSize });
  const rows = [...corpusRows(world, tokenizerFromJson(json, tokenizerConfig(options.shape.maxPositions)), options)];
  await engine.tune(
    start,
    rows,
    {
      epochs: 1,
      batch: ROWS_A_STEP,
      learningRate: options.learningRate,
      schedule: "cosine",
      warmup: 0.02,
      reduction: "token",
      adam: { beta1: 0.9, beta2: 0.95, epsilon: 1e-8 },
      clip: 1,
      seed: options.seed,
      shuffle: false,
      microTokens: ROWS_A_STEP * ROW_TOKENS,
      saveEveryEpoch: false,
    },
    {
      out: run.out,
      checkpoints: join(run.work, "checkpoints"),
      threads: run.threads,
      resume: run.resume,
      fingerprint: createHash("sha256")
        .update(JSON.stringify([options, run.threads]))
        .digest("hex"),
      dtype: "BF16",
      ...(run.onStart === undefined ? {} : { onStart: run.onStart }),
      ...(run.onStep === undefined ? {} : { onStep: run.onStep }),
      ...(run.signal === undefined ? {} : { signal: run.signal }),
    },
  );
}

export function learnTokenizer(
  world: World,
  { seed, contamination, contaminated, vocabSize = VOCAB_SIZE }: PretrainOptions,
): Record<string, unknown> {
  const pages = Array.from(
    { length: TOKENIZER_PAGES },
    (_, i) => page(world, i, { seed, contamination, ...(contaminated === undefined ? {} : { contaminated }) }).text,
  );
  return tokenizerJson(learnMerges(pages, vocabSize));
}

/** Rows of `ROW_TOKENS` ids in which every token but the first carries loss. Ids and labels are one array. */
export function* corpusRows(
  world: World,
  tokenizer: Tokenizer,
  { tokens, seed, contamination, contaminated }: PretrainOptions,
): Generator<Row> {
  const options = { seed, contamination, ...(contaminated === undefined ? {} : { contaminated }) };
  const eos = present(tokenizer.idOf(EOS), EOS);
  const count = Math.floor(tokens / ROW_TOKENS);
  let pending: number[] = [];
  for (let index = 0, made = 0; made < count; index++) {
    pending.push(...tokenizer.encode(page(world, index, options).text), eos);
    while (pending.length >= ROW_TOKENS && made < count) {
      const ids = pending.slice(0, ROW_TOKENS);
      pending = pending.slice(ROW_TOKENS);
      yield { id: `row-${++made}`, inputIds: ids, labels: ids, promptTokens: 0, merged: false, cut: false };
    }
  }
}
