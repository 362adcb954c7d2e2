/**
 * What came out of a study in words, and as one JSON summary.
 * May not know: how anything is computed.
 */
import {
  type Choice,
  type ComparisonResult,
  type Spread,
  type StepState,
  type StudyResults,
  studyFiles,
} from "../../records/study.js";
import { controlledOf } from "../../report/rates.js";
import { formatShare } from "../../stats/estimate.js";
import { formatCount, plural } from "../../util/progress.js";
import { columns, quoted } from "../../util/terminal.js";
import { lineOf } from "../run-action.js";

export function countStates({ steps }: Pick<StudyResults, "steps">): Record<StepState, number> {
  const counts: Record<StepState, number> = { done: 0, failed: 0, "to-do": 0, open: 0, blocked: 0 };
  for (const { state } of steps) counts[state]++;
  return counts;
}

export const summaryOf = (results: StudyResults, out: string): object => ({
  out,
  name: results.name,
  state: results.state,
  counts: countStates(results),
  failures: results.steps
    .filter(({ state }) => state === "failed")
    .map(({ id, reason, remedy = null }) => ({ id, reason, remedy })),
  choices: results.choices,
  comparisons: results.comparisons,
  rankings: results.rankings,
  similarities: results.similarities,
  left_out: results.left_out,
});

/** @param out  the folder; undefined where no results have been written to it */
export function describeOutcome(results: StudyResults, out: string | undefined): string {
  const parts = [
    comparisonTable(results.comparisons),
    choiceTable(results.choices),
    answerTable(results),
    rankingTable(results),
    similarityTable(results),
    problems(results),
    `${stateLine(results)}\n${out === undefined ? "" : `${out}/${studyFiles.results}\n`}`,
  ];
  return parts.filter((part) => part !== "").join("\n");
}

export function stateLine(results: StudyResults): string {
  const { done, failed, blocked, open, "to-do": left } = countStates(results);
  const some = (n: number, what: string): string[] => (n === 0 ? [] : [`${formatCount(n)} ${what}`]);
  return [
    `${formatCount(done)} of ${formatCount(results.steps.length)} steps done`,
    ...some(failed, "failed"),
    ...some(blocked, "blocked by a failure"),
    ...some(left, "to do"),
    ...some(open, "wait for a choice of epochs"),
  ].join(", ");
}

const table = (rows: readonly (readonly string[])[], right: readonly number[] = []): string =>
  rows.length < 2 ? "" : columns(rows, right);

const fixed = (value: number | null, digits = 1): string => (value === null ? "-" : value.toFixed(digits));

/** `43.3 ± 1.1`, as the paper writes it. */
const meanAndDeviation = ({ mean, sd }: Spread): string => `${fixed(mean)}${sd === null ? "" : ` ± ${fixed(sd)}`}`;

function comparisonTable(comparisons: readonly ComparisonResult[]): string {
  const row = (one: ComparisonResult, controlled = controlledOf(one)): string[] => [
    `${one.model}: ${one.arm} against ${one.against}`,
    meanAndDeviation(one.win_rate),
    `[${fixed(one.win_rate.interval.low)}, ${fixed(one.win_rate.interval.high)}]`,
    controlled === null ? "-" : meanAndDeviation(controlled),
    `${one.pairs.length} × ${formatCount(one.win_rate.interval.n)}`, // n counts prompts, whatever the number of seeds
    one.published === null
      ? ""
      : Object.entries(one.published)
          .map(([model, { mean, sd }]) => `${model} ${mean}${sd === undefined ? "" : ` ± ${sd}`}`)
          .join(", "),
  ];
  const head = ["win rate, %", "mean ± sd", "95 % interval", "length-controlled", "seeds × verdicts", "published"];
  return table([head, ...comparisons.map((one) => row(one))]);
}

function choiceTable(choices: readonly Choice[]): string {
  const row = ({ model, arm, measure, chosen, tied, epochs, prompts }: Choice): string[] => [
    `${model}: ${arm}`,
    String(chosen),
    tied.join(", "),
    epochs.map(({ epochs: n, value }) => `${n}: ${fixed(value.estimate, measure === "loss" ? 4 : 1)}`).join("  "),
    `${measure === "loss" ? "nats a token" : "win rate, %"}, ${plural(prompts, "prompt")}`,
  ];
  return table([["epochs", "chosen", "tied", "validation", ""], ...choices.map(row)]);
}

function answerTable({ cells }: StudyResults): string {
  const rows = cells.flatMap(({ model, arm, seed, epochs, answers }) =>
    answers
      .filter(({ split }) => split === "test")
      .map(({ counts }) => [
        `${model}: ${arm}${seed === null ? "" : `, seed ${seed}`}${epochs === null ? "" : `, ${epochs} epochs`}`,
        ...[counts.answers, counts.stopped, counts.echoes, counts.tags, counts.empty].map(formatCount),
        fixed(counts.mean_tokens),
      ]),
  );
  return table(
    [["answers", "n", "ended by themselves", "repeat the instruction", "hold a tag", "empty", "tokens"], ...rows],
    [1, 2, 3, 4, 5, 6],
  );
}

function rankingTable({ rankings }: StudyResults): string {
  const rows = rankings.map(({ name, model, arm, seed, totals }) => [
    `${model}: ${arm}${seed === null ? "" : `, seed ${seed}`}`,
    name,
    formatShare(totals.sum.rate),
    formatShare(totals.mean.rate),
  ]);
  return table([
    ["the right response is more likely", "analysis", "in total (paper)", "per token (reference)"],
    ...rows,
  ]);
}

function similarityTable({ similarities }: StudyResults): string {
  const rows = similarities.map(({ name, model, arm, seed, totals: { mean_x, mean_y, correlation } }) => [
    `${model}: ${arm}${seed === null ? "" : `, seed ${seed}`}`,
    name,
    ...[mean_x, mean_y, correlation].map(withInterval),
  ]);
  return table([["adherence to the style", "analysis", "x: instructions", "y: answers", "rank correlation"], ...rows]);
}

const withInterval = ({ estimate, low, high }: Spread["interval"]): string =>
  `${fixed(estimate, 3)}${low === null || high === null ? "" : ` [${fixed(low, 3)}, ${fixed(high, 3)}]`}`;

/** What is missing, and why. */
export function problems({ steps, left_out }: StudyResults): string {
  const failed = steps.filter(({ state }) => state === "failed");
  const lines = [
    ...failed.map(({ id, reason, remedy }) => `failed: ${id}: ${lineOf({ message: reason ?? "", remedy })}`),
    ...left_out.map(({ what, reason }) => `left out: ${quoted(what)}: ${reason}`),
  ];
  return lines.map((line) => `${line}\n`).join("");
}
