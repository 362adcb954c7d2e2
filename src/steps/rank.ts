/**
 * Ranking, from files to files: data set and model directory in; the ledger of scores, one line per comparison and a summary
 * out. The command, the library and studies call this one function.
 *
 * The ledger is what a stopped run leaves and what the next one starts from; comparisons and summary are made from it anew.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { collectExamples } from "../data/load.js";
import { parseDataSpec } from "../data/spec.js";
import { embeddedEngine } from "../engines/embedded.js";
import type { Engine, LoadedModel, Precision } from "../engines/engine.js";
import { refuseMissing } from "../engines/refusals.js";
import { type RankedText, type RankInput, rankPairs } from "../rank/rank.js";
import { drawRivals } from "../rank/rivals.js";
import type { ScoreCache, Scored } from "../rank/scoring.js";
import { openTally } from "../rank/totals.js";
import type { Example } from "../records/example.js";
import { type RankSummary, rankSummarySchema, type ScoreLine, scoreLineSchema } from "../records/rank.js";
import { loadTextModel } from "../text/load.js";
import { type BosChoice, renderPair } from "../text/render.js";
import { type Template, templateFrom, templateText } from "../text/template.js";
import type { TextModel } from "../text/tokenizer.js";
import { trimWhiteSpace } from "../text/unicode.js";
import { UserError } from "../util/errors.js";
import { type AtomicWriter, openAtomic, refuseOverwrite, sha256, sha256File, writeFileAtomic } from "../util/files.js";
import { type Ledger, openLedger } from "../util/ledger.js";
import { availableCores, packageVersion } from "../util/system.js";
import { hashModel } from "./model-hash.js";

export interface RankOptions {
  /** Model directory. */
  readonly model: string;
  /** `PATH` or `NAME:PATH`. */
  readonly data: string;
  /**
   * A folder, or a file ending in `.jsonl` for the comparisons, with summary and ledger beside it; without: no file is written, and
   * an interrupted run keeps nothing.
   */
  readonly out?: string;
  /** Default `tulu`. */
  readonly template?: Template;
  /** Rivals for each instruction; default 5. */
  readonly against?: number;
  /** Examples taken from the front; rivals come from the same ones; default 1000. */
  readonly limit?: number;
  readonly seed?: number;
  /** Ids of prompt and response together beyond which a pair is not scored; default 2048, and never more than the model has positions. */
  readonly maxLength?: number;
  readonly bos?: BosChoice;
  /** Default: the cores there are. */
  readonly threads?: number;
  /** Of the weights; default f32. */
  readonly precision?: Precision;
  /** Replace results that are there, and do not go on from an earlier run's ledger. */
  readonly force?: boolean;
  /** Default: the embedded engine. */
  readonly engine?: Engine;
}

/** Options of which nothing is left open. */
type Settled = RankOptions &
  Required<
    Pick<
      RankOptions,
      "template" | "against" | "limit" | "seed" | "maxLength" | "bos" | "threads" | "precision" | "engine"
    >
  >;

export interface RankWatch {
  readonly signal?: AbortSignal;
  readonly onStart?: (plan: { readonly instructions: number; readonly inLedger: number }) => void;
  readonly onProgress?: (done: number, instructions: number) => void;
}

/** Where a run's three files lie. */
export function rankPaths(out: string): { readonly pairs: string; readonly summary: string; readonly scores: string } {
  if (!out.endsWith(".jsonl")) {
    return { pairs: join(out, "pairs.jsonl"), summary: join(out, "summary.json"), scores: join(out, "scores.jsonl") };
  }
  const stem = out.slice(0, -".jsonl".length);
  return { pairs: out, summary: `${stem}.summary.json`, scores: `${stem}.scores.jsonl` };
}

/**
 * @throws UserError  the results are there already, the engine gives no log-probabilities, or fewer than two examples
 * @throws the signal's reason  stopped; what was scored is in the ledger
 */
export async function rank(request: RankOptions, watch: RankWatch = {}): Promise<RankSummary> {
  const started = performance.now();
  const options = settle(request);
  const paths = options.out === undefined ? undefined : rankPaths(options.out);
  if (paths !== undefined)
    for (const path of [paths.pairs, paths.summary]) refuseOverwrite(path, options.force === true);
  refuseMissing(options.engine, { score: true, precision: options.precision });
  const data = await readData(options.data, options.limit);
  const text = await loadTextModel(options.model);
  const modelHash = await hashModel(options.model);
  if (paths !== undefined && options.force === true) await rm(paths.scores, { force: true });
  const ledger =
    paths === undefined ? undefined : await openLedger(paths.scores, (line) => scoreLineSchema.parse(line));
  try {
    watch.onStart?.({ instructions: data.examples.length, inLedger: ledger?.lines.length ?? 0 });
    const found = await compareData(options, { data, text, modelHash, ledger, pairs: paths?.pairs }, watch);
    const seconds = (performance.now() - started) / 1000;
    const summary = rankSummarySchema.parse(summaryOf(options, { data, modelHash, seconds, ...found }));
    if (paths !== undefined) await writeFileAtomic(paths.summary, `${JSON.stringify(summary, null, 2)}\n`);
    return summary;
  } finally {
    await ledger?.close();
  }
}

const settle = (request: RankOptions): Settled => ({
  ...request,
  template: request.template ?? templateFrom(),
  against: request.against ?? 5,
  limit: request.limit ?? 1000,
  seed: request.seed ?? 0,
  maxLength: request.maxLength ?? 2048,
  bos: request.bos ?? "auto",
  threads: request.threads ?? availableCores(),
  precision: request.precision ?? "f32",
  engine: request.engine ?? embeddedEngine,
});

interface Material {
  readonly data: Data;
  readonly text: TextModel;
  readonly modelHash: string;
  readonly ledger: Ledger<ScoreLine> | undefined;
  /** The file for the comparisons. */
  readonly pairs: string | undefined;
}

/** Loads the model and compares; gives what a summary says of it. */
async function compareData(options: Settled, { data, text, modelHash, ledger, pairs }: Material, watch: RankWatch) {
  const { engine, threads, precision } = options;
  const model = await engine.load(options.model, { threads, precision });
  const maxLength = Math.min(options.maxLength, model.maxPositions ?? Number.POSITIVE_INFINITY);
  const source = renderer(text, options, data.examples, maxLength);
  const input = {
    ids: data.examples.map(({ id }) => id),
    render: source.render,
    rivals: drawRivals(data.examples.length, options.against, options.seed),
    keyPrefix: sha256([packageVersion(), engine.name, precision, threads, modelHash].join("\n")),
  };
  const found = await compareAll(model, input, ledger, pairs, watch);
  return { ...found, maxLength, merged: source.merged() };
}

interface Found extends Awaited<ReturnType<typeof compareData>> {
  readonly data: Data;
  readonly modelHash: string;
  readonly seconds: number;
}

function summaryOf(options: Settled, found: Found): RankSummary {
  const { data, totals, scored, reused, merged, maxLength, modelHash, seconds } = found;
  const { against, limit, seed, bos, precision, threads } = options;
  return {
    version: 1,
    ...totals,
    engine: options.engine.name,
    model: { path: options.model, hash: modelHash },
    data: { spec: options.data, hash: data.hash, examples: data.examples.length, multi_turn: data.multiTurn },
    options: {
      ...{ against, limit, seed, max_length: maxLength, bos, precision, threads },
      template: templateText(options.template),
    },
    scored,
    reused,
    merged,
    seconds: Number(seconds.toFixed(3)),
    tacit: packageVersion(),
  };
}

interface Data {
  readonly examples: readonly Example[];
  readonly multiTurn: number;
  readonly hash: string;
}

async function readData(specText: string, limit: number): Promise<Data> {
  const spec = parseDataSpec(specText);
  const { examples } = await collectExamples(spec, { limit });
  if (examples.length < 2) {
    throw new UserError(`${spec.path} gives ${examples.length} example; ranking compares at least two`, {
      remedy: "name more data, or raise --limit",
    });
  }
  const multiTurn = examples.filter((example) => example.messages.length > 2).length;
  return { examples, multiTurn, hash: await sha256File(spec.path) };
}

/** Any instruction followed by any response, as ids. Of a dialogue it is the first exchange. */
function renderer(text: TextModel, options: Settled, examples: readonly Example[], maxLength: number) {
  let merged = 0;
  const content = (example: number, message: number): string => examples[example]?.messages[message]?.content ?? "";
  const render = (instruction: number, response: number): RankedText => {
    const pair = { instruction: content(instruction, 0), response: content(response, 1) };
    if (trimWhiteSpace(pair.response) === "") return { kind: "unscored", reason: "empty-response" };
    const rendered = renderPair(text, options.template, pair, { bos: options.bos });
    if (rendered.promptIds.length + rendered.responseIds.length > maxLength) {
      return { kind: "unscored", reason: "too-long" };
    }
    if (rendered.merged) merged++;
    return { kind: "ready", promptIds: rendered.promptIds, responseIds: rendered.responseIds };
  };
  return { render, merged: () => merged };
}

/** Closes the model, whatever happens. */
async function compareAll(
  model: LoadedModel,
  input: RankInput,
  ledger: Ledger<ScoreLine> | undefined,
  path: string | undefined,
  watch: RankWatch,
) {
  const cache = openCache(ledger);
  const tally = openTally();
  let file: AtomicWriter | undefined;
  try {
    if (path !== undefined) file = await openAtomic(path);
    const run = {
      cache,
      signal: watch.signal,
      onProgress: (done: number) => watch.onProgress?.(done, input.ids.length),
    };
    for await (const pair of rankPairs(model, input, run)) {
      tally.add(pair);
      await file?.write(`${JSON.stringify(pair)}\n`);
    }
    await file?.commit();
  } catch (error) {
    await file?.discard();
    throw error;
  } finally {
    await model.close();
  }
  return { totals: tally.totals(), scored: cache.scored(), reused: cache.reused() };
}

/** The ledger as a cache: what it held at the start, and what this run adds, which is on disk before it is used. */
function openCache(ledger: Ledger<ScoreLine> | undefined): ScoreCache & { scored(): number; reused(): number } {
  const old = new Map(ledger?.lines.map((line) => [line.key, withoutKey(line)]));
  const fresh = new Map<string, Scored>();
  const reused = new Set<string>();
  return {
    get(key) {
      const known = fresh.get(key) ?? old.get(key);
      if (old.has(key)) reused.add(key);
      return known;
    },
    async set(key, value) {
      await ledger?.append({ key, ...value });
      fresh.set(key, value);
    },
    scored: () => fresh.size,
    reused: () => reused.size,
  };
}

function withoutKey(line: ScoreLine): Scored {
  return "unscored" in line ? { unscored: line.unscored } : { sum: line.sum, mean: line.mean, tokens: line.tokens };
}
