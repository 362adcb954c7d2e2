/**
 * Scoring, from file to file: pairs of prompt and response in, the log-probability of every response token out. The command, the
 * library and studies call this one function.
 *
 * As in `generate`, finished rows go to a ledger beside the results, from which a stopped run resumes.
 */

import { embeddedEngine } from "../embedded/embedded.js";
import type { Engine } from "../engine/engine.js";
import { refuseMissing } from "../engine/refusals.js";
import { NOT_FINITE } from "../engine/requests.js";
import { decidingFiles, recordedModel } from "../model-files/hash.js";
import type { scoreOptions } from "../options/score.js";
import { templateFrom } from "../options/template.js";
import { type Emitter, type Watch, watched } from "../records/events.js";
import type { RecordedModel } from "../records/model.js";
import {
  type LogprobsLine,
  logprobsLineSchema,
  type ScoreInput,
  type ScoreOutput,
  type ScoreRun,
  scoreRunSchema,
} from "../records/scores.js";
import { loadTextModel } from "../text/load.js";
import { templateText } from "../text/template.js";
import { present, UserError } from "../util/errors.js";
import { sha256 } from "../util/files.js";
import type { OptionsOf } from "../util/options.js";
import { type Finished, openResult, type ResultPlan } from "../util/result.js";
import { availableCores, packageVersion } from "../util/system.js";
import { readScoreRows, type ScoreRow } from "./score-rows.js";

export interface ScoreOptions extends Omit<OptionsOf<typeof scoreOptions>, "input"> {
  /** A `.jsonl` or `.json` file, or the rows: `{id?, instruction, response}` or `{id?, prompt_ids, response_ids}`. */
  readonly input: string | readonly ScoreInput[];
  /** Default: the embedded engine. */
  readonly engine?: Engine;
}

export interface ScoreSummary {
  /** In the order of the rows. */
  readonly scores: readonly ScoreOutput[];
  readonly run: ScoreRun;
}

/** Where a run's files lie: `scores.jsonl`, `scores.run.json`, `scores.partial.jsonl`. */
export function scorePaths(out: string): { readonly scores: string; readonly run: string; readonly partial: string } {
  const stem = out.replace(/\.jsonl$/, "");
  return { scores: out, run: `${stem}.run.json`, partial: `${stem}.partial.jsonl` };
}

/**
 * Scores every row.
 *
 * @throws UserError  a result already exists, or something about model, rows or options is wrong
 * @throws the signal's reason  stopped; what was finished is in the ledger
 * @example
 * const { scores } = await score({ model: "models/base", input: [{ instruction: "2 + 2?", response: "4" }] });
 */
export const score = (options: ScoreOptions, watch: Watch = {}): Promise<ScoreSummary> =>
  watched("score", watch, (say) => scoreRows(options, say, watch.signal));

async function scoreRows(options: ScoreOptions, say: Emitter, signal: AbortSignal | undefined): Promise<ScoreSummary> {
  const started = performance.now();
  const { out } = options;
  const settings = settle(options);
  refuseMissing(settings.engine, { score: true, precision: settings.precision });
  const result = await openResult(await resultPlan(options));
  try {
    const rows = await readScoreRows(options.input, await loadTextModel(options.model), settings);
    await settings.engine.refuseTooLarge?.(options.model, { for: "running", precision: settings.precision });
    const model = await recordedModel(options.model, settings.engine);
    const keys = rowKeys(rows, settings, model.hash);
    const known = await result.finished((line) => logprobsLineSchema.parse(line), keys);
    const distinct = new Set(keys).size;
    const reused = known.size();
    say.begin({ total: distinct, unit: "rows", reused });
    const scoring = performance.now();
    await scoreMissing(options.model, settings, rows, keys, known, say, signal);
    const scores = rows.map(({ id }, i) => scoreOutput(id, present(known.get(present(keys[i], "key")), id).logprobs));
    const seconds = { scoring: (performance.now() - scoring) / 1000, all: (performance.now() - started) / 1000 };
    const run = runRecord(options, settings, model, rows, scores, { distinct, reused }, seconds);
    if (out !== undefined) {
      await result.write(scorePaths(out).run, `${JSON.stringify(scoreRunSchema.parse(run), null, 2)}\n`);
      await result.write(out, scores.map((line) => `${JSON.stringify(line)}\n`).join(""));
      await result.commit();
    }
    return { scores, run };
  } finally {
    await result.close();
  }
}

async function resultPlan({ model, out, input, force = false }: ScoreOptions): Promise<ResultPlan | undefined> {
  if (out === undefined) return undefined;
  const { scores, run, partial } = scorePaths(out);
  const inputs = [...(await decidingFiles(model)), ...(typeof input === "string" ? [input] : [])];
  return { main: scores, beside: [run], ledger: partial, inputs, force };
}

type Settings = ReturnType<typeof settle>;

const settle = (options: ScoreOptions) => ({
  engine: options.engine ?? embeddedEngine,
  template: options.template ?? templateFrom(),
  bos: options.bos ?? ("auto" as const),
  eos: options.eos ?? true,
  threads: options.threads ?? availableCores(),
  precision: options.precision ?? ("f32" as const),
  limit: options.limit,
});

/** For each row the hash of everything that decides its values. */
function rowKeys(rows: readonly ScoreRow[], { engine, threads, precision }: Settings, modelHash: string): string[] {
  const common = [packageVersion(), engine.name, modelHash, threads, precision];
  return rows.map(({ request }) =>
    sha256(JSON.stringify([common, request.promptIds, request.responseIds])).slice(0, 32),
  );
}

type Known = Finished<LogprobsLine>;

/** Scores what is not known; rows with equal ids are scored once, so that they tie exactly. */
async function scoreMissing(
  directory: string,
  { engine, threads, precision }: Settings,
  rows: readonly ScoreRow[],
  keys: readonly string[],
  known: Known,
  say: Emitter,
  signal: AbortSignal | undefined,
): Promise<void> {
  const missing = new Map<string, { key: string; row: ScoreRow }>();
  const taken = new Set<string>();
  rows.forEach((row, i) => {
    const key = present(keys[i], "key");
    if (known.get(key) !== undefined || taken.has(key)) return;
    taken.add(key);
    missing.set(row.request.id, { key, row });
  });
  if (missing.size === 0) return;
  const model = await engine.load(directory, { threads, precision, onNote: say.note });
  let tokens = 0;
  let done = new Set(keys).size - missing.size;
  try {
    const requests = [...missing.values()].map(({ row }) => row.request);
    for await (const { id, logprobs } of model.score(requests, { signal })) {
      const { key, row } = present(missing.get(id), id);
      await known.add({ key, logprobs: finite(logprobs, row.request.id) });
      tokens += logprobs.length;
      done++;
      say.progress({ done, tokens });
      signal?.throwIfAborted();
    }
  } finally {
    await model.close();
  }
}

/** As many digits as single precision holds. */
function finite(logprobs: Float32Array, row: string): number[] {
  return Array.from(logprobs, (logprob) => {
    if (Number.isFinite(logprob)) return Number(logprob.toPrecision(9));
    throw new UserError(`${row}: a log-probability is ${logprob}`, {
      remedy: NOT_FINITE,
    });
  });
}

function scoreOutput(id: string, logprobs: readonly number[]): ScoreOutput {
  const sum = logprobs.reduce((total, logprob) => total + logprob, 0);
  return { id, logprobs: [...logprobs], sum, mean: sum / logprobs.length, tokens: logprobs.length };
}

function runRecord(
  options: ScoreOptions,
  settings: Settings,
  model: RecordedModel,
  rows: readonly ScoreRow[],
  scores: readonly ScoreOutput[],
  { distinct, reused }: { readonly distinct: number; readonly reused: number },
  seconds: { readonly scoring: number; readonly all: number },
): ScoreRun {
  const sum = scores.reduce((total, line) => total + line.sum, 0);
  const tokens = scores.reduce((total, line) => total + line.tokens, 0);
  const ids = rows.map(({ request }) => JSON.stringify([request.promptIds, request.responseIds]));
  return {
    version: 1,
    command: "score",
    tacit: packageVersion(),
    engine: settings.engine.name,
    model,
    input: {
      source: typeof options.input === "string" ? options.input : "given",
      rows: rows.length,
      hash: sha256(ids.join("\n")),
    },
    template: templateText(settings.template),
    bos: settings.bos,
    eos: settings.eos,
    options: { precision: settings.precision, threads: settings.threads, limit: settings.limit ?? null },
    outcome: {
      tokens,
      computed: distinct - reused,
      reused,
      duplicates: rows.length - distinct,
      merged: rows.filter(({ merged }) => merged).length,
      sum,
      mean: sum / tokens,
    },
    timings: { seconds: Number(seconds.all.toFixed(3)), score_seconds: Number(seconds.scoring.toFixed(3)) },
  };
}
