/**
 * `results.json`: the graph, the states of its steps, and what the finished ones say, gathered out of their folders. The same folders
 * give the same bytes.
 * May not know: how a step is carried out.
 */
import { existsSync } from "node:fs";
import { z } from "zod";
import { outputSchema } from "../../records/outputs.js";
import { rankSummarySchema, rankTotalsSchema } from "../../records/rank.js";
import { similaritySummarySchema } from "../../records/similarity.js";
import {
  type AnswerCountsRecord,
  type Cell,
  type Choice,
  choiceSchema,
  comparisonResultSchema,
  RECORD_VERSION,
  type StepEntry,
  type StepState,
  type StudyResults,
} from "../../records/study.js";
import { countAnswers } from "../../stats/answers.js";
import { present } from "../../util/errors.js";
import { armKey, type CellNode, type Graph } from "../plan/graph-builder.js";
import { type Outcomes, statesOf } from "../run/schedule.js";
import { type Place, resultNames, type Step, type StepPlan, type TemplateSettings } from "../step.js";
import type { StudyFolder } from "./folder.js";

const TAGS = ["<|user|>", "<|assistant|>"] as const;

export interface Gathering {
  readonly name: string;
  readonly graph: Graph;
  readonly outcomes: Outcomes;
  readonly folder: StudyFolder;
  /** Counts of answers by path: they do not change, and need the whole file. */
  readonly counted: Map<string, AnswerCountsRecord>;
}

export async function gatherResults(from: Gathering): Promise<StudyResults> {
  const { graph, outcomes, folder } = from;
  const states = statesOf(graph.steps, outcomes);
  const done = graph.steps.filter(({ id }) => states.get(id) === "done");
  const entries = graph.steps.map((step) => entryOf(step, states, outcomes));
  const cells: Cell[] = [];
  for (const node of graph.cells) cells.push(await cellOf(node, from, states));
  return {
    version: RECORD_VERSION,
    name: from.name,
    state: stateOf(entries),
    steps: entries,
    cells,
    choices: await readAll(folder, done, "choose", resultNames.choice, choiceSchema),
    comparisons: await readAll(folder, done, "compare", resultNames.comparison, comparisonResultSchema),
    rankings: await rankingsOf(folder, done),
    similarities: await similaritiesOf(folder, done),
    left_out: [...graph.leftOut],
  };
}

function stateOf(entries: readonly StepEntry[]): StudyResults["state"] {
  if (entries.every(({ state }) => state === "done")) return "finished";
  return entries.some(({ state }) => state === "to-do" || state === "open") ? "unfinished" : "failed";
}

function entryOf(step: Step, states: ReadonlyMap<string, StepState>, outcomes: Outcomes): StepEntry {
  const state = present(states.get(step.id), step.id);
  const outcome = step.plan === undefined ? undefined : outcomes.get(step.plan.key);
  const culprit = step.needs.find((need) => ["failed", "blocked"].includes(states.get(need) ?? ""));
  const reason =
    state === "failed" && outcome?.kind === "failed"
      ? outcome.reason
      : state === "blocked"
        ? `needs ${culprit}`
        : state === "open"
          ? "waits for a choice of epochs"
          : null;
  return {
    id: step.id,
    kind: step.kind,
    key: step.plan?.key ?? null,
    folder: step.plan?.folder ?? null,
    needs: [...step.needs],
    state,
    reason,
    ...(state === "failed" && outcome?.kind === "failed" && outcome.remedy !== null ? { remedy: outcome.remedy } : {}),
  };
}

async function cellOf(node: CellNode, from: Gathering, states: ReadonlyMap<string, StepState>): Promise<Cell> {
  const { folder, graph } = from;
  const stepOf = (id: string): Step =>
    present(
      graph.steps.find((step) => step.id === id),
      id,
    );
  const isDone = (id: string): boolean => states.get(id) === "done";
  const answers: Cell["answers"] = [];
  for (const { split, step } of node.answers) {
    const { plan } = stepOf(step);
    if (!isDone(step) || plan?.work.kind !== "generate") continue;
    const outputs = `${plan.folder}/${resultNames.outputs}`;
    const counts = from.counted.get(outputs) ?? (await countsOf(folder, plan, plan.work.template));
    from.counted.set(outputs, counts);
    answers.push({ split, step, outputs, run: outputs.replace(/\.json$/, ".run.json"), counts });
  }
  const { tune } = node;
  const plan = tune === undefined || !isDone(tune.step) ? undefined : stepOf(tune.step).plan;
  const root = plan === undefined ? "" : `${plan.folder}/${resultNames.model}`;
  return {
    ...node.key,
    chosen: node.chosen,
    tuning:
      tune === undefined || plan === undefined
        ? null
        : { step: tune.step, model: inside(tune.model), run: `${root}/run.json`, metrics: `${root}/metrics.jsonl` },
    answers,
  };
}

const inside = (place: Place): string => ("inside" in place ? place.inside : place.outside);

async function countsOf(folder: StudyFolder, plan: StepPlan, template: TemplateSettings): Promise<AnswerCountsRecord> {
  const outputs = await folder.readResult(plan, resultNames.outputs, z.array(outputSchema));
  const [user, assistant] = TAGS;
  const { meanTokens, ...counts } = countAnswers(outputs, [
    template.user_tag ?? user,
    template.assistant_tag ?? assistant,
  ]);
  return { ...counts, mean_tokens: meanTokens ?? null };
}

async function readAll<T>(
  folder: StudyFolder,
  done: readonly Step[],
  kind: Step["kind"],
  name: string,
  schema: z.ZodType<T>,
): Promise<T[]> {
  const results: T[] = [];
  for (const step of done) {
    if (step.kind === kind && step.plan !== undefined) results.push(await folder.readResult(step.plan, name, schema));
  }
  return results;
}

async function rankingsOf(folder: StudyFolder, done: readonly Step[]): Promise<StudyResults["rankings"]> {
  const rankings: StudyResults["rankings"] = [];
  for (const step of done) {
    if (step.kind !== "rank") continue;
    const { cell } = step;
    const plan = present(step.plan, step.id);
    const root = `${plan.folder}/${resultNames.rank}`;
    const summary = await folder.readResult(plan, `${resultNames.rank}/summary.json`, rankSummarySchema);
    rankings.push({
      ...present(cell, step.id),
      name: analysisOf(step),
      step: step.id,
      summary: `${root}/summary.json`,
      pairs: `${root}/pairs.jsonl`,
      totals: rankTotalsSchema.parse(summary),
    });
  }
  return rankings;
}

async function similaritiesOf(folder: StudyFolder, done: readonly Step[]): Promise<StudyResults["similarities"]> {
  const similarities: StudyResults["similarities"] = [];
  for (const step of done) {
    if (step.kind !== "similarity") continue;
    const plan = present(step.plan, step.id);
    const root = `${plan.folder}/${resultNames.similarity}`;
    const summary = `${root}/summary.json`;
    const name = `${resultNames.similarity}/summary.json`;
    const { mean_x, mean_y, correlation } = await folder.readResult(plan, name, similaritySummarySchema);
    similarities.push({
      ...present(step.cell, step.id),
      name: analysisOf(step),
      step: step.id,
      folder: root,
      summary,
      totals: { mean_x, mean_y, correlation },
    });
  }
  return similarities;
}

/** `rank/NAME/…` */
const analysisOf = ({ id }: Step): string => id.split("/")[1] ?? "";

/** Epochs chosen so far, by arm: what makes the next graph. */
export async function readChoices(graph: Graph, outcomes: Outcomes, folder: StudyFolder): Promise<Map<string, number>> {
  const choices = new Map<string, number>();
  for (const { kind, plan } of graph.steps) {
    if (kind !== "choose" || plan === undefined || outcomes.get(plan.key)?.kind !== "done") continue;
    const path = folder.path({ inside: `${plan.folder}/${resultNames.choice}` });
    if (!existsSync(path)) continue;
    const { model, arm, chosen }: Choice = await folder.readResult(plan, resultNames.choice, choiceSchema);
    choices.set(armKey(model, arm), chosen);
  }
  return choices;
}
