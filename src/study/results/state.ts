/**
 * Where a study stands: its graph with the choices made so far, and the outcome of every step that has one.
 * May not know: how a step is carried out.
 */
import type { Outcome, StepRecord, StudyResults } from "../../records/study.js";
import { checkResults, GLANCED_BYTES } from "../../records/study-results.js";
import { buildGraph } from "../plan/graph.js";
import type { Graph } from "../plan/graph-builder.js";
import type { Prepared } from "../plan/prepare.js";
import type { OnRead } from "../plan/sources.js";
import type { Summary } from "../step.js";
import { gatherResults, readChoices } from "./results.js";

export interface StudyState {
  graph(): Graph;
  readonly outcomes: ReadonlyMap<string, Outcome>;
  /** Records of steps that are done or failed, by key. */
  readonly records: ReadonlyMap<string, StepRecord>;
  settle(key: string, record: StepRecord): void;
  /** A failure that may not come again: the step is to do. */
  forget(key: string): void;
  /** How many steps that failed in earlier runs have become known since this was last asked. */
  failedBefore(): number;
  /** Makes the graph again with the choices that were made since. */
  refresh(): Promise<void>;
  results(): Promise<StudyResults>;
}

/**
 * @param options.unchecked  results are not looked at, nor used
 * @param options.retry  failures of earlier runs are to be tried again, also those of steps that only a later choice makes known
 * @throws UserError  results of a finished step have changed
 */
export async function openState(
  { folder, record, context }: Prepared,
  options: {
    readonly retry?: boolean;
    readonly unchecked?: boolean;
    readonly hashUpTo?: number;
    readonly onRead?: OnRead | undefined;
  } = {},
): Promise<StudyState> {
  const records = new Map<string, StepRecord>();
  const outcomes = new Map<string, Outcome>();
  const summaries = new Map<string, Summary>();
  let graph = buildGraph({ ...context, choices: new Map() });
  const failed = new Set<string>();
  let told = 0;
  const settle = (key: string, step: StepRecord): void => {
    records.set(key, step);
    outcomes.set(key, step.outcome);
  };
  const look = async (): Promise<void> => {
    const found: { readonly folder: string; readonly step: StepRecord }[] = [];
    for (const { plan } of graph.steps) {
      if (plan === undefined || records.has(plan.key) || failed.has(plan.key)) continue;
      const step = await folder.readStep(plan.folder);
      if (step?.outcome.kind === "failed" && options.retry === true) failed.add(plan.key);
      else if (step !== undefined) found.push({ folder: plan.folder, step });
    }
    if (options.unchecked !== true) await check(found);
    for (const { step } of found) settle(step.key, step);
  };
  const check = async (found: readonly { readonly folder: string; readonly step: StepRecord }[]): Promise<void> => {
    const { hashUpTo = GLANCED_BYTES, onRead } = options;
    const sizes = found.flatMap(({ step: { results = [] } }) => results.map(({ bytes }) => bytes));
    const total = sizes.filter((bytes) => bytes <= hashUpTo).reduce((sum, bytes) => sum + bytes, 0);
    let done = 0;
    const onBytes = (bytes: number): void => {
      done += bytes;
      onRead?.({ what: "results of finished steps", done, total });
    };
    for (const { folder: place, step } of found) await checkResults(folder.root, place, step, { hashUpTo, onBytes });
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
    forget(key) {
      outcomes.delete(key);
      records.delete(key);
    },
    failedBefore() {
      const now = failed.size - told;
      told = failed.size;
      return now;
    },
    refresh,
    results: () => gatherResults({ name: record.study.name, graph, outcomes, folder, summaries }),
  };
}
