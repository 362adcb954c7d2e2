/**
 * One model's figures: win rate, length-controlled win rate, intervals, bounds and ledger.
 * May not know: files, other models.
 */
import type { LcRecord, WinrateEntry } from "../../records/winrate.js";
import { clusteredColumnMean } from "../../stats/cluster.js";
import { type Estimate, toEstimateRecord } from "../../stats/estimate.js";
import { scikitLearnFolds } from "../../stats/folds.js";
import { type GamedRows, type Lc, type LcModel, lengthControlledWinRate } from "../../stats/length-control.js";
import { wilson } from "../../stats/wilson.js";
import { isExtremeChange, openWinRate, type WinRate, winRateBounds } from "../../stats/win-rate.js";
import { UserError } from "../../util/errors.js";
import type { Evaluation } from "./collect.js";
import type { LcData } from "./lc-data.js";

export interface EvaluateOptions {
  /** Without: `v1` where there are data for it, else `minimal`. */
  readonly lc: LcModel | "none" | undefined;
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
  for (const p of evaluation.p) if (!Number.isNaN(p)) tally.add(p);
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
    ledger: { ...evaluation.ledger, absent: absent ?? null },
    bounds: (missing === 0 ? undefined : winRateBounds(rate, missing)) ?? null,
    intervals: {
      win_rate: toEstimateRecord(rateInterval(evaluation)),
      discrete_win_rate: toEstimateRecord(percentages(wilson(rate.wins + rate.draws / 2, rate.total))),
      length_controlled_winrate: toEstimateRecord(fit?.interval ?? nothing(controlled, record.note)),
    },
    extreme_change: extreme,
    warnings: [],
  };
  return { entry: { ...entry, warnings: warningsOf(entry, missing) }, lc };
}

const OWN_BASELINE = "the model is its own baseline: 50 by definition, nothing is fitted";

/** The fit that was asked for, or the one that these rows allow; and what the record says of it. */
function lengthControl(
  evaluation: Evaluation,
  rate: WinRate,
  options: EvaluateOptions,
): { lc: Lc | undefined; record: LcRecord } {
  const { data, c, compat } = options;
  const nothingFitted = (note: string | null) => ({
    lc: undefined,
    record: { model: null, c_from: null, losses: null, difficulty_by: null, note },
  });
  if (options.lc === "none") return nothingFitted(null);
  if (evaluation.model === evaluation.baseline && (compat || rate.draws === rate.total))
    return nothingFitted(OWN_BASELINE);
  const { model, by, note } = modelFor(evaluation, options);
  const lc = lengthControlledWinRate(
    {
      p: evaluation.p,
      lengthDifference: evaluation.lengthBaseline.map((length, i) => length - (evaluation.lengthModel[i] as number)),
      difficulty: data === undefined || by === undefined ? undefined : difficultyOf(evaluation, data, by),
      prompts: evaluation.prompts,
    },
    {
      model,
      gamed: model === "v1" && data?.gamed !== undefined ? placed(data.gamed, evaluation, by) : undefined,
      c,
      folds: options.folds ?? (compat ? (n) => scikitLearnFolds(n) : undefined),
    },
  );
  const losses = lc.kind === "fitted" ? (lc.chosen?.losses ?? null) : null;
  return {
    lc,
    record: {
      model,
      c_from: lc.kind === "undefined" ? null : c === undefined ? "cross-validation" : "given",
      losses: losses === null ? null : [...losses],
      difficulty_by: by ?? null,
      note:
        [note, lc.kind === "undefined" ? lc.reason : undefined].filter((text) => text !== undefined).join("; ") || null,
    },
  };
}

interface ChosenModel {
  readonly model: LcModel;
  /** How difficulties are looked up; undefined where none is needed. */
  readonly by: "instruction" | "row" | undefined;
  readonly note: string | undefined;
}

/** Difficulties and gamed rows belong to one list of instructions: for any other, only `minimal` means something. */
function modelFor({ prompts, file }: Evaluation, { lc, data, compat }: EvaluateOptions): ChosenModel {
  const asked = lc === undefined || lc === "none" ? (data === undefined ? "minimal" : "v1") : lc;
  const chosen = (model: LcModel, by: ChosenModel["by"], note?: string): ChosenModel => ({ model, by, note });
  if (asked === "minimal") return chosen("minimal", undefined);
  if (data === undefined) {
    throw new UserError(`--lc ${asked} needs the instructions' difficulties`, {
      remedy: "name their folder with --lc-data, or take --lc minimal",
    });
  }
  if (asked === "v1" && data.gamed === undefined) {
    throw new UserError(`${data.folder} has no gamed baselines`, {
      remedy: "add gamed-baseline.json or df_gamed.csv, or take --lc noreg",
    });
  }
  const known = data.difficulty.length;
  if (compat) {
    if (prompts.length <= known) return chosen(asked, "row");
    throw new UserError(`${file} has ${prompts.length} rows, and ${data.folder} difficulties for ${known}`, {
      remedy: "leave --compat out, or take --lc minimal",
    });
  }
  if (data.instructions !== undefined) {
    const foreign = new Set(prompts.filter((prompt) => prompt >= known)).size;
    if (foreign === 0) return chosen(asked, "instruction");
    return chosen(
      "minimal",
      undefined,
      `${foreign} instructions are not in ${data.folder}: fitted without difficulties (minimal, not ${asked})`,
    );
  }
  if (prompts.length === known)
    return chosen(asked, "row", `${data.folder} has no prompts.json: difficulties are taken by row`);
  const why = `${data.folder} has no prompts.json and difficulties for ${known} rows, not ${prompts.length}`;
  return chosen("minimal", undefined, `${why}: fitted without difficulties (minimal, not ${asked})`);
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
const rateInterval = ({ p, prompts }: Evaluation): Estimate => percentages(clusteredColumnMean(p, prompts));

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
  if (ledger.repeated > 0)
    warnings.push(`${ledger.repeated} rows repeat an instruction: intervals are clustered by instruction`);
  if (entry.lc.note !== null) warnings.push(entry.lc.note);
  return warnings;
}

const meanOf = (values: Float64Array): number | undefined =>
  values.length === 0 ? undefined : values.reduce((sum, value) => sum + value, 0) / values.length;

const floor = (value: number | undefined): number | null => (value === undefined ? null : Math.floor(value));
