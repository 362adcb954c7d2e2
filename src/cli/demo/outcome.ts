/**
 * What came out of the demo, one row an arm, with the paper's figures of the same arm beside it.
 * May not know: how anything is computed.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Knowledge, pretrainRunSchema } from "../../records/pretrain.js";
import type { AnswerCountsRecord, StudyResults } from "../../records/study.js";
import type { Study } from "../../records/study-file.js";
import { controlledOf } from "../../report/rates.js";
import type { StudyFolder } from "../../report/read.js";
import { losesNothing, meanOf, type ScoredAnswers, scoredAnswers } from "../../report/scores.js";
import { formatShare } from "../../stats/estimate.js";
import type { Prepared } from "../../study/plan/prepare.js";
import { readJson } from "../../util/json.js";
import { modelDirectory } from "../../util/model-directory.js";
import { formatPercent } from "../../util/progress.js";
import { columns } from "../../util/terminal.js";

export interface ArmResult {
  readonly arm: string;
  /** Percent against instruction tuning; null for that one itself and where nothing was judged. */
  readonly win_rate: number | null;
  readonly sd: number | null;
  readonly interval: readonly [low: number, high: number] | null;
  /** The same as it would be if both answers were equally long, as the paper's are; null where it could not be fitted. */
  readonly length_controlled: number | null;
  /** Of the checker's scores, 0 to 1. */
  readonly mean_score: number | null;
  /** Of their part `facts`, of the answers that have it. */
  readonly mean_facts: number | null;
  /** Scored answers that lose nothing in any part. */
  readonly right: number;
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
      length_controlled: (comparison === undefined ? null : controlledOf(comparison))?.mean ?? null,
      ...scoresOf(cell === undefined ? [] : await scoredAnswers(study, cell)),
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
function scoresOf(seeds: readonly ScoredAnswers[]): Pick<ArmResult, "mean_score" | "mean_facts" | "right"> {
  const scores = seeds.flatMap((seed) => [...seed.scores.values()]);
  return {
    mean_score: meanOf(scores.map(({ total }) => total)),
    mean_facts: meanOf(scores.flatMap(({ parts }) => parts?.facts ?? [])),
    right: scores.filter(losesNothing).length,
  };
}

const fixed = (value: number | null | undefined, digits: number): string =>
  value === null || value === undefined ? "" : value.toFixed(digits);

const shareOf = (part: number, whole: number): string => (whole === 0 ? "" : `${Math.round((100 * part) / whole)} %`);

export function describeArms(arms: readonly ArmResult[]): string {
  const models = [...new Set(arms.flatMap(({ published }) => Object.keys(published)))];
  const row = (one: ArmResult): string[] => [
    one.arm,
    one.win_rate === null ? "-" : `${fixed(one.win_rate, 1)}${one.sd === null ? "" : ` ± ${fixed(one.sd, 1)}`}`,
    one.interval === null ? "" : `[${one.interval.map((end) => fixed(end, 1)).join(", ")}]`,
    one.win_rate !== null && one.length_controlled === null ? "-" : fixed(one.length_controlled, 1),
    fixed(one.mean_score, 2),
    fixed(one.mean_facts, 2),
    shareOf(one.right, one.answers),
    shareOf(one.stopped, one.answers),
    String(one.echoes),
    ...models.map((model) => fixed(one.published[model], 1)),
  ];
  const head = ["arm", "wins, %", "95 % interval", "lc", "score", "facts", "right", "end", "echo", ...models];
  const table = columns([head, ...arms.map(row)], head.map((_, i) => i).slice(1));
  return `${table}
wins: against instruction tuning of the same seed, a draw is half; lc: the same with length controlled; score: mean of 0 to 1, facts: the
part of it for what is so and was asked for; right: lose nothing in any part; end: by themselves; echo: answers that are the instruction.
The last columns are the paper's win rates of the same arms at 7 billion parameters, judged by GPT-4, with length controlled.
`;
}

/** What the base model knew before it was asked anything, as it was measured when it was made; undefined of a model without that record. */
export async function recordedKnowledge(model: string): Promise<Knowledge | undefined> {
  const record = join(modelDirectory(model), "run.json");
  if (!existsSync(record)) return undefined;
  const run = pretrainRunSchema.safeParse(await readJson(record));
  return run.success ? run.data.knowledge : undefined; // another command's record
}

export function describeKnowledge(model: string, knowledge: Knowledge | undefined): string {
  const { page, template } = knowledge?.forms ?? {};
  if (knowledge === undefined || page === undefined || template === undefined)
    return `What the base model knows: tacit glasshouse facts --model ${model}\n`;
  return `The base model finds the right value more likely than ${knowledge.against} wrong ones for ${formatPercent(page.first)} of ${knowledge.facts} facts that the test asks about, ${formatPercent(template.first)} under the
template (when it was made; tacit glasshouse facts --model ${model} measures it again).
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
