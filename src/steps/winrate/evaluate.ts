/**
 * One model's figures: win rate, length-controlled win rate, intervals, bounds and ledger.
 * May not know: files, other models.
 */

import type { LcChoice, LcModel } from "../../options/lc-models.js";
import type { LcRecord, WinrateEntry } from "../../records/winrate.js";
import { clusteredColumnProbability } from "../../stats/cluster.js";
import { type Estimate, toEstimateRecord } from "../../stats/estimate.js";
import { scikitLearnFolds } from "../../stats/folds.js";
import { type AlpacaEvalModel, type GamedRows, type Lc, lengthControlledWinRate } from "../../stats/length-control.js";
import { lengthFit } from "../../stats/length-fit.js";
import { wilson } from "../../stats/wilson.js";
import { isExtremeChange, openWinRate, type WinRate, whyNoRate, winRateBounds } from "../../stats/win-rate.js";
import { UserError } from "../../util/errors.js";
import { quoted } from "../../util/terminal.js";
import { option, words } from "../../util/words.js";
import type { Evaluation } from "./collect.js";
import type { LcData } from "./lc-data.js";

export interface EvaluateOptions {
  /** Without: `v1` where there are data for these instructions, else `length` (as the official tool: `minimal`). */
  readonly lc: LcChoice | undefined;
  readonly data: LcData | undefined;
  readonly c: number | undefined;
  readonly folds: ((n: number) => Uint8Array) | undefined;
  /** As the official tool: difficulty by row, its folds, and 50 for a model named as its baseline is. */
  readonly compat: boolean;
}

export interface Evaluated {
  readonly entry: WinrateEntry;
  /** Undefined where nothing was fitted. */
  readonly lc: Lc | undefined;
}

export function evaluate(evaluation: Evaluation, name: string, options: EvaluateOptions): Evaluated {
  const tally = openWinRate();
  evaluation.p.forEach((p, i) => {
    if (!Number.isNaN(p)) tally.add(p, evaluation.identical[i] === 1 && !isOwn(evaluation));
  });
  const rate = tally.totals();
  const { lc, record } = lengthControl(evaluation, rate, options);
  const fit = lc?.kind === "fitted" ? lc : undefined;
  const isBaseline = lc === undefined && record.note === OWN_BASELINE;
  const controlled = isBaseline ? 50 : fit?.winRate;
  const absent = absentRows(evaluation, options.data);
  const missing = evaluation.ledger.n - rate.total + (absent ?? 0);
  const extreme = rate.winRate !== undefined && controlled !== undefined && isExtremeChange(rate.winRate, controlled);
  const entry: WinrateEntry = {
    name,
    baseline: evaluation.baseline,
    annotator: evaluation.annotator,
    file: evaluation.file,
    win_rate: rate.winRate ?? null,
    standard_error: rate.standardError ?? null,
    discrete_win_rate: rate.discreteWinRate ?? null,
    n_wins: rate.wins,
    n_wins_base: rate.winsBase,
    n_draws: rate.draws,
    n_total: rate.total,
    length_controlled_winrate: controlled ?? null,
    lc_standard_error: (isBaseline ? 0 : fit?.standardError) ?? null,
    avg_length: floor(meanOf(evaluation.lengthModel)),
    mean_length: { model: meanOf(evaluation.lengthModel) ?? null, baseline: meanOf(evaluation.lengthBaseline) ?? null },
    c: fit?.c ?? null,
    weights: fit?.weights ?? null,
    lc: record,
    ledger: { ...evaluation.ledger, absent: absent ?? null, normalised: evaluation.loose },
    bounds: (missing === 0 ? undefined : winRateBounds(rate, missing)) ?? null,
    intervals: {
      win_rate: toEstimateRecord(
        rate.winRate === undefined ? nothing(undefined, whyNoRate(rate)) : rateInterval(evaluation),
      ),
      discrete_win_rate: toEstimateRecord(
        rate.winRate === undefined ? nothing(undefined, whyNoRate(rate)) : discreteInterval(rate),
      ),
      length_controlled_winrate: toEstimateRecord(fit?.interval ?? nothing(controlled, record.note)),
    },
    extreme_change: extreme,
    warnings: [],
  };
  return { entry: { ...entry, warnings: [...evaluation.notes, ...warningsOf(entry, missing)] }, lc };
}

/** A model against itself: all draws are what one expects of it. */
const isOwn = ({ model, baseline }: Evaluation): boolean => model === baseline;

const OWN_BASELINE = "the model is its own baseline: 50 by definition, nothing is fitted";

/** The fit that was asked for, or the one that these rows allow; and what the record says of it. */
function lengthControl(
  evaluation: Evaluation,
  rate: WinRate,
  options: EvaluateOptions,
): { lc: Lc | undefined; record: LcRecord } {
  const { data, c, compat } = options;
  const matched = matchedIn(evaluation, data);
  const nothingFitted = (note: string | null) => ({
    lc: undefined,
    record: { model: null, c_from: null, losses: null, difficulty_by: null, matched, note },
  });
  if (options.lc === "none") return nothingFitted(null);
  if (isOwn(evaluation) && (compat || rate.draws === rate.total)) return nothingFitted(OWN_BASELINE);
  const { model, by, note } = modelFor(evaluation, options);
  if (rate.winRate === undefined) return nothingFitted(whyNoRate(rate));
  const rows = {
    p: evaluation.p,
    lengthDifference: evaluation.lengthBaseline.map((length, i) => length - (evaluation.lengthModel[i] as number)),
    difficulty: data === undefined || by === undefined ? undefined : difficultyOf(evaluation, data, by),
    prompts: evaluation.prompts,
  };
  const lc =
    model === "length"
      ? lengthFit(rows)
      : lengthControlledWinRate(rows, { model, ...penalty(evaluation, options, model, by) });
  const fit = lc.kind === "fitted" ? lc : undefined;
  const losses = fit?.chosen?.losses;
  const notes = [note, lc.kind === "undefined" ? lc.reason : lc.note].filter((text) => text !== undefined);
  return {
    lc,
    record: {
      model,
      c_from: fit?.c === undefined ? null : c === undefined ? "cross-validation" : "given",
      losses: losses === undefined ? null : [...losses],
      difficulty_by: by ?? null,
      matched,
      note: notes.join("; ") || null,
    },
  };
}

/** What AlpacaEval's fits take beside the rows. */
function penalty(evaluation: Evaluation, options: EvaluateOptions, model: AlpacaEvalModel, by: ChosenModel["by"]) {
  const { data, c, compat, folds } = options;
  return {
    gamed: model === "v1" && data?.gamed !== undefined ? placed(data.gamed, evaluation, by) : undefined,
    c,
    folds: folds ?? (compat ? (n: number) => scikitLearnFolds(n) : undefined),
  };
}

/** Rows by how their instruction was found in the list; null where there is none. */
function matchedIn({ prompts, loose }: Evaluation, data: LcData | undefined): LcRecord["matched"] {
  const list = data?.instructions;
  if (list === undefined) return null;
  const foreign = prompts.filter((prompt) => prompt >= list.length).length;
  const normalised = Math.min(loose, prompts.length - foreign);
  return { exact: prompts.length - foreign - normalised, normalised, foreign };
}

interface ChosenModel {
  readonly model: LcModel;
  /** How difficulties are looked up; undefined where none is needed. */
  readonly by: "instruction" | "row" | undefined;
  readonly note: string | undefined;
}

/**
 * Difficulties and gamed rows belong to one list of instructions. Rows of any other get `length`, which needs none, unless a fit was asked for by
 * name: then what was asked for cannot be had, and is not replaced.
 */
function modelFor(evaluation: Evaluation, { lc, data, compat, c }: EvaluateOptions): ChosenModel {
  const asked = lc === undefined || lc === "none" ? undefined : lc;
  const chosen = (model: LcModel, by: ChosenModel["by"], note?: string): ChosenModel => {
    if (model === "length" && c !== undefined) throw refusedStrength(note);
    return { model, by, note };
  };
  if (asked === "length" || asked === "minimal") return chosen(asked, undefined);
  if (data === undefined) {
    if (asked === undefined) return chosen(compat ? "minimal" : "length", undefined);
    throw new UserError(words`${option("lc", asked)} needs the instructions' difficulties`, {
      remedy: words`name their folder with ${option("lcData")}, or take ${option("lc", "length")}`,
    });
  }
  const fit = asked ?? "v1";
  if (fit === "v1" && data.gamed === undefined) {
    throw new UserError(`${quoted(data.folder)} has no gamed baselines`, {
      remedy: words`add gamed-baseline.json or df_gamed.csv, or take ${option("lc", "noreg")} or ${option("lc", "length")}`,
    });
  }
  const lookup = lookupIn(evaluation, data, compat);
  if ("by" in lookup) return chosen(fit, lookup.by, lookup.note);
  if (asked === undefined && !compat) {
    return chosen(
      "length",
      undefined,
      `${lookup.problem}: fitted by length, which needs no difficulties, in place of v1`,
    );
  }
  throw new UserError(words`${quoted(evaluation.file)}: ${option("lc", fit)} cannot be fitted: ${lookup.problem}`, {
    remedy: compat
      ? words`leave ${option("compat")} out, or take ${option("lc", "minimal")}`
      : words`take ${option("lc", "length")}, which needs no difficulties, or leave ${option("lc")} out`,
  });
}

const refusedStrength = (note: string | undefined): UserError =>
  new UserError(
    words`${option("lc", "length")} has no penalty whose strength ${option("lcC")} could fix${note === undefined ? "" : ` (${note})`}`,
    {
      remedy: words`take ${option("lc", "minimal")}, noreg or v1 with it, or leave it out`,
    },
  );

/** How rows find their difficulties, or why they do not. */
function lookupIn(
  { prompts, loose }: Evaluation,
  data: LcData,
  compat: boolean,
): { readonly by: "instruction" | "row"; readonly note?: string } | { readonly problem: string } {
  const [rows, known, folder] = [prompts.length, data.difficulty.length, quoted(data.folder)];
  if (compat) {
    return rows <= known
      ? { by: "row" }
      : { problem: `there are ${rows} rows, and ${folder} has difficulties for ${known}` };
  }
  if (data.instructions === undefined) {
    return rows === known
      ? { by: "row", note: `${folder} has no prompts.json: difficulties are taken by row` }
      : { problem: `${folder} has no prompts.json and difficulties for ${known} rows, not ${rows}` };
  }
  const different = new Set(prompts);
  const foreign = [...different].filter((prompt) => prompt >= known).length;
  if (foreign > 0) return { problem: `${foreign} of ${different.size} instructions are not in ${folder}` };
  return loose === 0
    ? { by: "instruction" }
    : {
        by: "instruction",
        note: `${loose} rows have their instruction with other white space than ${folder}, and were matched to it`,
      };
}

function difficultyOf({ prompts }: Evaluation, { difficulty }: LcData, by: "instruction" | "row"): Float64Array {
  return Float64Array.from(prompts, (prompt, row) => difficulty[by === "row" ? row : prompt] as number);
}

/** By row, place i of the list is whatever instruction row i has. */
function placed(gamed: GamedRows, { prompts }: Evaluation, by: ChosenModel["by"]): GamedRows {
  return by === "row" ? { ...gamed, prompts: gamed.prompts.map((place) => prompts[place] ?? -1 - place) } : gamed;
}

/** Of the known list; undefined where there is none or the rows are of another. */
function absentRows({ prompts }: Evaluation, data: LcData | undefined): number | undefined {
  const list = data?.instructions;
  if (list === undefined || prompts.some((prompt) => prompt >= list.length)) return undefined;
  return list.length - new Set(prompts).size;
}

/** Verdicts of one instruction are one cluster. */
const rateInterval = ({ p, prompts }: Evaluation): Estimate => percentages(clusteredColumnProbability(p, prompts));

const discreteInterval = ({ wins, draws, total }: WinRate): Estimate => percentages(wilson(wins + draws / 2, total));

const nothing = (estimate: number | undefined, note: string | null): Estimate => ({
  estimate,
  low: undefined,
  high: undefined,
  n: 0,
  method: note ?? "not fitted",
});

/** From shares to percentages, held within 0 and 100. */
function percentages(share: Estimate): Estimate {
  const times = (value: number | undefined): number | undefined =>
    value === undefined ? undefined : 100 * Math.min(1, Math.max(0, value));
  return { ...share, estimate: times(share.estimate), low: times(share.low), high: times(share.high) };
}

function warningsOf(entry: WinrateEntry, missing: number): string[] {
  const { extreme_change, length_controlled_winrate: lc, win_rate, ledger } = entry;
  const warnings: string[] = [];
  if (extreme_change && lc !== null && win_rate !== null) {
    warnings.push(
      `the length-controlled win rate is far from the raw one (${lc.toFixed(1)} and ${win_rate.toFixed(1)}): the fit may have failed`,
    );
  }
  if (missing > 0)
    warnings.push(
      `${missing} of ${ledger.n + (ledger.absent ?? 0)} rows have no verdict: the win rate is of the others`,
    );
  if (win_rate === null && entry.n_total > 0) warnings.push(noWinRate(entry));
  if (ledger.repeated > 0)
    warnings.push(`${ledger.repeated} rows repeat an instruction: intervals are clustered by instruction`);
  if (entry.lc.note !== null && win_rate !== null) warnings.push(controlNote(entry, entry.lc.note));
  return warnings;
}

const noWinRate = ({ n_total }: WinrateEntry): string => `no win rate: ${whyNoRate({ total: n_total })}`;

const controlNote = ({ length_controlled_winrate: lc }: WinrateEntry, note: string): string =>
  lc === null ? `no length-controlled win rate: ${note}` : note;

const meanOf = (values: Float64Array): number | undefined =>
  values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;

const floor = (value: number | undefined): number | null => (value === undefined ? null : Math.floor(value));
