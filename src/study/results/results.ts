/**
 * `results.json`: the graph, the states of its steps, and what the finished ones say, gathered out of their folders. The same folders
 * give the same bytes.
 * May not know: how a step is carried out.
 */
import { existsSync } from "node:fs";
import { type Cell, RECORD_VERSION, type StepEntry, type StepState, type StudyResults } from "../../records/study.js";
import { present } from "../../util/errors.js";
import { armKey, type CellNode, type Graph } from "../plan/graph-builder.js";
import { type Outcomes, statesOf } from "../run/schedule.js";
import type { Summary } from "../step.js";
import { definitionOf, resultOf, type Step } from "../steps.js";
import type { StudyFolder } from "./folder.js";

export interface Gathering {
  readonly name: string;
  readonly graph: Graph;
  readonly outcomes: Outcomes;
  readonly folder: StudyFolder;
  /** Of finished steps by key: they do not change, and some need a whole file. */
  readonly summaries: Map<string, Summary>;
}

interface Summarised {
  readonly step: Step;
  readonly summary: Summary;
}

export async function gatherResults(from: Gathering): Promise<StudyResults> {
  const { graph, outcomes } = from;
  const states = statesOf(graph.steps, outcomes);
  const done = new Map<string, Summarised>();
  for (const step of graph.steps) {
    if (states.get(step.id) === "done") done.set(step.id, { step, summary: await summaryOf(step, from) });
  }
  const entries = graph.steps.map((step) => entryOf(step, states, outcomes));
  const all = [...done.values()];
  return {
    version: RECORD_VERSION,
    name: from.name,
    state: stateOf(entries),
    steps: entries,
    cells: graph.cells.map((node) => cellOf(node, done)),
    choices: all.flatMap(({ summary }) => summary.choice ?? []),
    comparisons: all.flatMap(({ summary }) => summary.comparison ?? []),
    rankings: all.flatMap(({ step, summary: { ranking } }) =>
      ranking === undefined ? [] : [{ ...analysed(step), ...ranking }],
    ),
    similarities: all.flatMap(({ step, summary: { similarity } }) =>
      similarity === undefined ? [] : [{ ...analysed(step), ...similarity }],
    ),
    left_out: [...graph.leftOut],
  };
}

async function summaryOf({ id, plan: known }: Step, { folder, summaries }: Gathering): Promise<Summary> {
  const plan = present(known, id);
  const summary =
    summaries.get(plan.key) ?? (await definitionOf(plan.work.kind).summarise(folder.resultOf(plan), plan.work));
  summaries.set(plan.key, summary);
  return summary;
}

/** Of which model of the study, in which analysis. */
const analysed = ({ cell, id, name }: Step) => ({
  ...present(cell, id),
  name: present(name.of, id),
  step: id,
});

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

function cellOf(node: CellNode, done: ReadonlyMap<string, Summarised>): Cell {
  const { tune } = node;
  const tuning = tune === undefined ? undefined : done.get(tune.step)?.summary.tuning;
  return {
    ...node.key,
    chosen: node.chosen,
    tuning:
      tune === undefined || tuning === undefined ? null : { step: tune.step, model: tune.model.inside, ...tuning },
    answers: node.answers.flatMap(({ split, step }) => {
      const answers = done.get(step)?.summary.answers;
      return answers === undefined ? [] : [{ split, step, ...answers }];
    }),
  };
}

/** Epochs chosen so far, by arm: what makes the next graph. */
export async function readChoices(graph: Graph, outcomes: Outcomes, folder: StudyFolder): Promise<Map<string, number>> {
  const choices = new Map<string, number>();
  for (const { plan } of graph.steps) {
    if (plan === undefined || outcomes.get(plan.key)?.kind !== "done") continue;
    const { decides } = definitionOf(plan.work.kind);
    if (decides === undefined || !existsSync(folder.path(resultOf(plan)))) continue;
    const { model, arm, chosen } = await decides(folder.resultOf(plan));
    choices.set(armKey(model, arm), chosen);
  }
  return choices;
}
