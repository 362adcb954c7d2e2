/**
 * Scoring, from file to file: pairs of prompt and response in, the log-probability of every response token out. The command, the
 * library and studies call this one function.
 *
 * As in `generate`, finished rows go to a ledger beside the results, from which a stopped run resumes.
 */

import type { Engine } from "../engine/engine.js";
import { type Identity, keyOf, recordedComputing } from "../engine/identity.js";
import type { OpenedModel } from "../engine/opened.js";
import { ability, refuseTooLarge } from "../engine/refusals.js";
import { NOT_FINITE, type ScoreResult } from "../engine/requests.js";
import { decidingFiles } from "../model-files/hash.js";
import { scoreOptions } from "../options/score.js";
import { type Settled, settled } from "../options/template.js";
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
import { templateText } from "../text/template.js";
import { present, UserError } from "../util/errors.js";
import { sha256 } from "../util/files.js";
import type { OptionsOf } from "../util/options.js";
import { recordLine, recordText } from "../util/record-file.js";
import { openResult, type ResultPlan } from "../util/result.js";
import { packageVersion } from "../util/system.js";
import { engineOf, recordedModel } from "./open-engine.js";
import { type FinishedWork, resumable } from "./resumable.js";
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
  watched("score", watch, (say) => scoreRows(settled(scoreOptions, options), engineOf(options), say, watch.signal));

type SettledScore = Settled<typeof scoreOptions, ScoreOptions>;

async function scoreRows(
  options: SettledScore,
  engine: Engine,
  say: Emitter,
  signal: AbortSignal | undefined,
): Promise<ScoreSummary> {
  const started = performance.now();
  const { out } = options;
  await using result = await openResult(await resultPlan(options));
  await using model = await engine.open(options.model);
  for (const note of model.notes) say.note(note);
  const scoring = ability(model, "score");
  const rows = await readScoreRows(options.input, model.text, options);
  refuseTooLarge(model, model.plan({ for: "scoring" }));
  const computedBy = await model.identity();
  const found = await resumable(result, say, {
    items: rows,
    unit: "rows",
    key: ({ request: { promptIds, responseIds } }) => keyOf(computedBy, { promptIds, responseIds }),
    id: ({ request }) => request.id,
    parse: (line) => logprobsLineSchema.parse(line),
    compute: (missing) => scored(scoring, missing, signal),
    line: (key, { id, logprobs }) => ({ key, logprobs: finite(logprobs, id) }),
    tokens: ({ logprobs }) => logprobs.length,
  });
  const scores = rows.map(({ id }, i) => scoreOutput(id, present(found.lines[i], id).logprobs));
  const seconds = (performance.now() - started) / 1000;
  const run = runRecord(options, {
    model: recordedModel(model, computedBy),
    computedBy,
    rows,
    scores,
    found,
    seconds,
  });
  if (out !== undefined) {
    await result.write(scorePaths(out).run, recordText(scoreRunSchema.parse(run)));
    await result.write(out, scores.map(recordLine));
    await result.commit();
  }
  return { scores, run };
}

async function resultPlan({ model, out, input, force }: SettledScore): Promise<ResultPlan | undefined> {
  if (out === undefined) return undefined;
  const { scores, run, partial } = scorePaths(out);
  const inputs = [...(await decidingFiles(model)), ...(typeof input === "string" ? [input] : [])];
  return { main: scores, beside: [run], ledger: partial, inputs, force };
}

async function* scored(
  score: NonNullable<OpenedModel["score"]>,
  rows: readonly ScoreRow[],
  signal: AbortSignal | undefined,
): AsyncGenerator<ScoreResult> {
  const requests = rows.map(({ request }) => request);
  for await (const result of score(requests, { signal })) {
    yield result;
    signal?.throwIfAborted();
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

interface Made {
  readonly model: RecordedModel;
  readonly computedBy: Identity;
  readonly rows: readonly ScoreRow[];
  readonly scores: readonly ScoreOutput[];
  readonly found: FinishedWork<LogprobsLine>;
  readonly seconds: number;
}

function runRecord({ input, template, bos, eos, limit }: SettledScore, made: Made): ScoreRun {
  const { model, computedBy, rows, scores, found, seconds } = made;
  const sum = scores.reduce((total, line) => total + line.sum, 0);
  const tokens = scores.reduce((total, line) => total + line.tokens, 0);
  const ids = rows.map(({ request }) => JSON.stringify([request.promptIds, request.responseIds]));
  return {
    version: 1,
    command: "score",
    tacit: packageVersion(),
    engine: computedBy.engine,
    model,
    input: {
      source: typeof input === "string" ? input : "given",
      rows: rows.length,
      hash: sha256(ids.join("\n")),
    },
    template: templateText(template),
    ...{ bos, eos },
    options: { ...recordedComputing(computedBy), limit: limit ?? null },
    outcome: {
      tokens,
      ...found.counts,
      merged: rows.filter(({ merged }) => merged).length,
      sum,
      mean: sum / tokens,
    },
    timings: { seconds: Number(seconds.toFixed(3)), score_seconds: Number(found.seconds.toFixed(3)) },
  };
}
