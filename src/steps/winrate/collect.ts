/**
 * One pass over annotation files: each model against each baseline becomes a few numbers a row, and every row is accounted for.
 * May not know: what is computed of the numbers.
 */

import type { PreferenceScale } from "../../options/measure.js";
import { type VerdictOutcome, verdictOutcomes } from "../../records/annotations.js";
import type { WinrateLedger } from "../../records/winrate.js";
import { openScaleCheck, type ScaleProblem } from "../../stats/preference-scale.js";
import { probabilityOf } from "../../stats/win-rate.js";
import { codePoints } from "../../util/code-points.js";
import { UserError } from "../../util/errors.js";
import { quoted } from "../../util/terminal.js";
import { option, words } from "../../util/words.js";
import type { PromptId, PromptIds } from "./prompt-ids.js";
import { type AnnotationRow, readAnnotations } from "./read-annotations.js";

/** One model against one baseline by one judge, out of one file. Columns are `[rows]`. */
export interface Evaluation {
  readonly file: string;
  readonly model: string;
  readonly baseline: string;
  readonly annotator: string;
  /** P(the model is better); NaN where there is no verdict. */
  readonly p: Float64Array;
  /** Code points of the outputs. */
  readonly lengthModel: Float64Array;
  readonly lengthBaseline: Float64Array;
  /** Which instruction. */
  readonly prompts: Int32Array;
  /** Outputs are the same text: a draw that no judge decided. */
  readonly identical: Uint8Array;
  /** Instructions that are known, or stand in a file before, with other white space. */
  readonly loose: number;
  readonly ledger: Omit<WinrateLedger, "absent">;
  /** What has to be said of the file as it was read. */
  readonly notes: readonly string[];
}

/** More models than that in one file is a mistake in the file. */
const MAX_MODELS = 1000;

export interface CollectOptions {
  /** What the places of annotations without texts mean, where that is known. */
  readonly instructions: readonly string[] | undefined;
  /** Undefined: 1..2, unless the file speaks against it. */
  readonly scale: PreferenceScale | undefined;
}

/**
 * @param given  the rows themselves, where there is no file; `file` is then what they are called
 * @throws UserError  what `readAnnotations` throws, or preferences on another scale
 */
export async function collectEvaluations(
  file: string,
  ids: PromptIds,
  { instructions, scale }: CollectOptions,
  given?: readonly unknown[],
): Promise<Evaluation[]> {
  const check = openScaleCheck(scale);
  let ours = false; // a row has an outcome: `tacit judge` wrote it
  const found = new Map<string, Collector>();
  const collectorOf = (model: string, baseline: string, annotator: string): Collector => {
    const key = JSON.stringify([model, baseline, annotator]);
    const collector = found.get(key) ?? openCollector({ file, model, baseline, annotator }, scale ?? "1..2");
    found.set(key, collector);
    if (found.size > MAX_MODELS) throw new UserError(`${file} holds more than ${MAX_MODELS} models`);
    return collector;
  };
  for await (const batch of readAnnotations(file, given)) {
    if (batch.kind === "compact") {
      const collector = collectorOf(batch.model, batch.baseline, batch.annotator);
      for (const { index, preference, lengthModel, lengthBaseline } of batch.rows) {
        const instruction = instructions === undefined ? `instruction ${index}` : instructions[index];
        if (instruction === undefined)
          throw new UserError(`${file}: instruction ${index} is beyond the list of instructions`);
        check.see(preference);
        collector.add({
          prompt: ids.of(instruction),
          preference,
          outcome: undefined,
          identical: false,
          lengthModel,
          lengthBaseline,
        });
      }
      continue;
    }
    for (const row of batch.rows) {
      const collector = collectorOf(
        row.generator_2 ?? "model",
        row.generator_1 ?? "baseline",
        row.annotator ?? "unknown judge",
      );
      ours ||= row.outcome !== undefined;
      check.see(row.preference);
      collector.add({
        prompt: ids.of(row.instruction),
        preference: row.preference,
        outcome: consistentOutcome(file, row),
        identical: row.output_1 === row.output_2,
        lengthModel: codePoints(row.output_2),
        lengthBaseline: codePoints(row.output_1),
      });
    }
  }
  refuseOtherScale(file, check.problem(), scale);
  const notes =
    scale === undefined && check.onlyOnes() && !ours
      ? ["every preference is 1, read as the baseline's win; if 1 means that the model wins, name the scale 0..1"]
      : [];
  return [...found.values()].map((collector) => ({ ...collector.evaluation(), notes }));
}

/** @throws UserError  where there is a problem */
export function refuseOtherScale(
  file: string,
  problem: ScaleProblem | undefined,
  scale: PreferenceScale | undefined,
): void {
  if (problem === undefined) return;
  throw new UserError(`${quoted(file)}: ${problem.what}`, {
    remedy:
      problem.remedy ??
      (scale === undefined
        ? words`pass ${option("scale", "0..1")} where 1 means that the model wins and 0 that it loses, or ${option("scale", "1..2")} where 1 means that the baseline wins and 0 a draw`
        : words`leave ${option("scale")} out: 1 is then the baseline's win and 2 the model's`),
  });
}

/** A row that says both that there is no verdict and which one it is cannot be believed. */
function consistentOutcome(
  file: string,
  { outcome, preference, instruction }: AnnotationRow,
): VerdictOutcome | undefined {
  const without = outcome === "unparsed" || outcome === "refused" || outcome === "truncated" || outcome === "failed";
  if (without && preference !== null) {
    throw new UserError(
      `${file}: a row is "${outcome}" and has the preference ${preference}: ${JSON.stringify(instruction.slice(0, 60))}`,
    );
  }
  return outcome;
}

interface CollectedRow {
  readonly prompt: PromptId;
  readonly preference: number | null;
  readonly outcome: VerdictOutcome | undefined;
  readonly identical: boolean;
  readonly lengthModel: number;
  readonly lengthBaseline: number;
}

interface Collector {
  add(row: CollectedRow): void;
  evaluation(): Omit<Evaluation, "notes">;
}

function openCollector(
  names: Pick<Evaluation, "file" | "model" | "baseline" | "annotator">,
  scale: PreferenceScale,
): Collector {
  const [p, lengthModel, lengthBaseline, prompts, identical] = [
    openColumn(),
    openColumn(),
    openColumn(),
    openColumn(),
    openColumn(),
  ];
  let loose = 0;
  const counts = new Map<keyof WinrateLedger, number>();
  const count = (key: keyof WinrateLedger): void => void counts.set(key, (counts.get(key) ?? 0) + 1);
  let seen = new Uint8Array(1024); // by instruction: has it been there?
  return {
    add(row) {
      const probability = row.preference === null ? undefined : probabilityOf(row.preference, scale);
      const key = ledgerKey(row, probability);
      const { id } = row.prompt;
      count("n");
      count(key);
      if (probability === 0.5) count("ties");
      if (row.prompt.loose) loose++;
      if (id >= seen.length) seen = extended(seen, 2 * id);
      if (seen[id] === 1) count("repeated");
      seen[id] = 1;
      identical.push(key === "identical" ? 1 : 0);
      p.push(probability ?? Number.NaN);
      lengthModel.push(row.lengthModel);
      lengthBaseline.push(row.lengthBaseline);
      prompts.push(id);
    },
    evaluation: () => ({
      ...names,
      p: p.values(),
      lengthModel: lengthModel.values(),
      lengthBaseline: lengthBaseline.values(),
      prompts: Int32Array.from(prompts.values()),
      identical: Uint8Array.from(identical.values()),
      loose,
      ledger: ledgerOf((key) => counts.get(key) ?? 0),
    }),
  };
}

/** Under which heading of the ledger a row stands. Each row stands under exactly one. */
function ledgerKey({ outcome, preference, identical }: CollectedRow, p: number | undefined): keyof WinrateLedger {
  if (preference !== null && p === undefined) return "out_of_range";
  if (p === undefined)
    return outcome === undefined || outcome === "judged" || outcome === "identical" ? "unexplained" : outcome;
  return outcome ?? (identical && p === 0.5 ? "identical" : "judged");
}

function ledgerOf(count: (key: keyof WinrateLedger) => number): Omit<WinrateLedger, "absent"> {
  const outcomes = Object.fromEntries(verdictOutcomes.map((outcome) => [outcome, count(outcome)])) as Record<
    VerdictOutcome,
    number
  >;
  return {
    n: count("n"),
    ...outcomes,
    unexplained: count("unexplained"),
    out_of_range: count("out_of_range"),
    ties: count("ties"),
    repeated: count("repeated"),
  };
}

function extended(marks: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(size);
  larger.set(marks);
  return larger;
}

/** Numbers that grow at the end: eight bytes each, and not an object. */
function openColumn(): { push(value: number): void; values(): Float64Array } {
  let room = new Float64Array(1024);
  let size = 0;
  return {
    push(value) {
      if (size === room.length) {
        const larger = new Float64Array(2 * size);
        larger.set(room);
        room = larger;
      }
      room[size++] = value;
    },
    values: () => room.slice(0, size),
  };
}
