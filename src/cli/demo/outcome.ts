/**
 * What came out of the demo, one row an arm, with the paper's figures of the same arm beside it.
 * May not know: how anything is computed.
 */
import type { AnswerCountsRecord, StudyResults } from "../../records/study.js";
import type { Study } from "../../records/study-file.js";
import type { StudyFolder } from "../../report/read.js";
import { meanOf, scoredAnswers } from "../../report/scores.js";
import { formatShare } from "../../stats/estimate.js";
import type { Prepared } from "../../study/prepare.js";
import { columns } from "../../util/terminal.js";

export interface ArmResult {
  readonly arm: string;
  /** Percent against instruction tuning; null for that one itself and where nothing was judged. */
  readonly win_rate: number | null;
  readonly sd: number | null;
  readonly interval: readonly [low: number, high: number] | null;
  /** Of the checker's scores, 0 to 1. */
  readonly mean_score: number | null;
  readonly answers: number;
  readonly stopped: number;
  readonly echoes: number;
  /** The paper's win rate by model, percent. */
  readonly published: Readonly<Record<string, number>>;
}

export async function armResults({ folder, record }: Prepared, results: StudyResults): Promise<ArmResult[]> {
  const study: StudyFolder = { folder: folder.root, record, results };
  const made: ArmResult[] = [];
  for (const [arm, { published = {} }] of Object.entries(record.study.arms)) {
    const comparison = results.comparisons.find((one) => one.arm === arm);
    const cell = results.cells.find((one) => one.arm === arm); // the study has one model
    const { low, high } = comparison?.win_rate.interval ?? { low: null, high: null };
    made.push({
      arm,
      win_rate: comparison?.win_rate.mean ?? null,
      sd: comparison?.win_rate.sd ?? null,
      interval: low === null || high === null ? null : [low, high],
      mean_score: cell === undefined ? null : await meanScore(study, cell),
      ...countsOf(results, arm),
      published: Object.fromEntries(Object.entries(published).map(([model, { mean }]) => [model, mean])),
    });
  }
  return made;
}

function countsOf({ cells }: StudyResults, arm: string): Pick<AnswerCountsRecord, "answers" | "stopped" | "echoes"> {
  const counts = cells
    .filter((cell) => cell.arm === arm && cell.chosen)
    .flatMap(({ answers }) => answers.filter(({ split }) => split === "test").map((one) => one.counts));
  const sum = (key: "answers" | "stopped" | "echoes"): number => counts.reduce((all, one) => all + one[key], 0);
  return { answers: sum("answers"), stopped: sum("stopped"), echoes: sum("echoes") };
}

/** Over all answers of all seeds. */
async function meanScore(
  study: StudyFolder,
  cell: { readonly model: string; readonly arm: string },
): Promise<number | null> {
  return meanOf(
    (await scoredAnswers(study, cell)).flatMap(({ scores }) => [...scores.values()].map(({ total }) => total)),
  );
}

const fixed = (value: number | null | undefined, digits: number): string =>
  value === null || value === undefined ? "" : value.toFixed(digits);

export function describeArms(arms: readonly ArmResult[]): string {
  const models = [...new Set(arms.flatMap(({ published }) => Object.keys(published)))];
  const row = (one: ArmResult): string[] => [
    one.arm,
    one.win_rate === null ? "-" : `${fixed(one.win_rate, 1)}${one.sd === null ? "" : ` ± ${fixed(one.sd, 1)}`}`,
    one.interval === null ? "" : `[${one.interval.map((end) => fixed(end, 1)).join(", ")}]`,
    fixed(one.mean_score, 2),
    one.answers === 0 ? "" : `${Math.round((100 * one.stopped) / one.answers)} %`,
    String(one.echoes),
    ...models.map((model) => fixed(one.published[model], 1)),
  ];
  const head = ["arm", "wins, %", "95 % interval", "score", "end", "echo", ...models];
  const table = columns([head, ...arms.map(row)], head.map((_, i) => i).slice(1));
  return `${table}
wins: against instruction tuning of the same seed, a draw is half; score: mean of 0 to 1; end: by themselves; echo: answers that are the
instruction. The last columns are the paper's win rates of the same arms at 7 billion parameters, judged by GPT-4.
`;
}

export function describeRankings({ rankings }: StudyResults, { arms }: Study): string {
  if (rankings.length === 0) return "";
  const lines = rankings.map(({ arm, seed, totals }) => [
    `   ${arm}${seed === null ? "" : `, seed ${seed}`}`,
    formatShare(totals.sum.rate),
  ]);
  const untuned = Object.values(arms).some(({ kind }) => kind === "untuned");
  const why = untuned ? ", whether or not the model says it" : "";
  return `The right response is more likely than another one under the template${why}:\n${columns(lines)}`;
}
