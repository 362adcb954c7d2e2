/**
 * Where a study stands: its graph with the choices made so far, and the outcome of every step that has one.
 * May not know: how a step is carried out.
 */
import type { AnswerCountsRecord, Outcome, StepRecord, StudyResults } from "../records/study.js";
import { buildGraph } from "./graph.js";
import type { Graph } from "./graph-builder.js";
import type { Prepared } from "./prepare.js";
import { gatherResults, readChoices } from "./results.js";

export interface StudyState {
  graph(): Graph;
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** Records of steps that are done or failed, by key. */
  readonly records: ReadonlyMap<string, StepRecord>;
  settle(key: string, record: StepRecord): void;
  /** Failures of earlier runs are to be tried again. */
  forgetFailures(): void;
  /** Makes the graph anew with the choices that were made since. */
  refresh(): Promise<void>;
  results(): Promise<StudyResults>;
}

export async function openState({ folder, record, context }: Prepared): Promise<StudyState> {
  const records = new Map<string, StepRecord>();
  const outcomes = new Map<string, Outcome>();
  const counted = new Map<string, AnswerCountsRecord>();
  let graph = buildGraph({ ...context, choices: new Map() });
  const settle = (key: string, step: StepRecord): void => {
    records.set(key, step);
    outcomes.set(key, step.outcome);
  };
  const look = async (): Promise<void> => {
    for (const { plan } of graph.steps) {
      if (plan === undefined || records.has(plan.key)) continue;
      const found = await folder.readStep(plan.folder);
      if (found !== undefined) settle(plan.key, found);
    }
  };
  const refresh = async (): Promise<void> => {
    await look();
    graph = buildGraph({ ...context, choices: await readChoices(graph, outcomes, folder) });
    await look();
  };
  await refresh();
  return {
    graph: () => graph,
    outcomes,
    records,
    settle,
    forgetFailures() {
      for (const [key, { kind }] of outcomes) {
        if (kind === "done") continue;
        outcomes.delete(key);
        records.delete(key);
      }
    },
    refresh,
    results: () => gatherResults({ name: record.study.name, graph, outcomes, folder, counted }),
  };
}
