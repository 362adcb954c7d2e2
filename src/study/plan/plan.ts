/**
 * What a study will do: every step with its state, and what the open ones will take. Where epochs are not chosen yet, the most are
 * assumed.
 * May not know: how anything is shown.
 */

import type { Engine } from "../../engine/engine.js";
import type { StepState } from "../../records/study.js";
import { openEngine } from "../../steps/open-engine.js";
import { UserError } from "../../util/errors.js";
import { formatBytes } from "../../util/progress.js";
import { availableMemory, freeDisk } from "../../util/system.js";
import { readChoices } from "../results/results.js";
import { openState } from "../results/state.js";
import { weightBytes } from "../run/machine.js";
import { statesOf } from "../run/schedule.js";
import type { Forecast } from "../step.js";
import { definitionOf, type Step } from "../steps.js";
import { epochsOf, modelsOf } from "./arms.js";
import { openForecaster } from "./forecast.js";
import { buildGraph } from "./graph.js";
import { armKey, type Graph } from "./graph-builder.js";
import type { Prepared } from "./prepare.js";

export interface PlannedStep {
  readonly step: Step;
  readonly state: StepState;
  /** Absent for steps that are done. */
  readonly forecast: Forecast | undefined;
}

export interface StudyPlan {
  readonly steps: readonly PlannedStep[];
  /** Arms whose epochs are not chosen yet. */
  readonly assumed: readonly string[];
  readonly totals: PlanTotals;
  readonly leftOut: Graph["leftOut"];
  /** Why this machine cannot carry it out, each with what would help; empty where it can. */
  readonly obstacles: readonly string[];
}

export interface PlanTotals {
  /** Of computing steps, one after the other. */
  readonly seconds: number;
  /** Some answers may stop before their limit. */
  readonly atMost: boolean;
  readonly memoryBytes: number;
  readonly calls: number;
  /** Undefined where the judge has no price. */
  readonly dollars: number | undefined;
  /** The same with answers and replies of a common length where none exist yet. */
  readonly likelyDollars: number | undefined;
  /** Of the models to be kept; and what the disk has. */
  readonly diskBytes: number;
  readonly diskFree: number;
}

export async function planStudy(prepared: Prepared): Promise<StudyPlan> {
  const state = await openState(prepared);
  const choices = await readChoices(state.graph(), state.outcomes, prepared.folder);
  const { study } = prepared.context;
  const assumed = new Map(choices);
  for (const [name, arm] of Object.entries(study.arms)) {
    for (const model of modelsOf(study, arm)) {
      const epochs = epochsOf(study, arm);
      if (epochs.length > 1 && !choices.has(armKey(model, name))) assumed.set(armKey(model, name), Math.max(...epochs));
    }
  }
  const graph = buildGraph({ ...prepared.context, choices: assumed });
  await using forecaster = openForecaster(prepared, state, graph);
  const states = statesOf(graph.steps, state.outcomes);
  const steps: PlannedStep[] = [];
  for (const step of graph.steps) {
    const is = states.get(step.id) ?? "to-do";
    steps.push({ step, state: is, forecast: is === "done" ? undefined : await forecaster.of(step) });
  }
  const totals = {
    ...totalsOf(steps),
    diskBytes: diskOf(steps, prepared),
    diskFree: await freeDisk(prepared.folder.root),
  };
  return {
    steps,
    obstacles: obstaclesOf(totals, availableMemory()),
    assumed: [...assumed.keys()].filter((key) => !choices.has(key)),
    totals,
    leftOut: graph.leftOut,
  };
}

const WAY_OUT = "take a larger machine, fewer arms, seeds or epochs (--seeds, --scale), or a smaller model";

/** What is missing whatever else is running: memory is held against all that there is, not against what is free now. */
export function obstaclesOf(
  { memoryBytes, diskBytes, diskFree }: Pick<PlanTotals, "memoryBytes" | "diskBytes" | "diskFree">,
  { total }: { readonly total: number },
): string[] {
  return [
    ...(memoryBytes > total
      ? [
          `the largest step needs ${formatBytes(memoryBytes)} of memory, and this machine has ${formatBytes(total)}; ${WAY_OUT}`,
        ]
      : []),
    ...(diskBytes > diskFree
      ? [
          `tuned models take ${formatBytes(diskBytes)} of disk, and ${formatBytes(diskFree)} are free; ${WAY_OUT}, or another --out`,
        ]
      : []),
  ];
}

/**
 * Without rendering a row, so that it takes no time: activations are left out.
 *
 * @throws UserError  a step cannot have the memory that it needs, or the models that are still to be tuned do not go on the disk: nothing
 * is begun
 */
export async function refuseImpossible(prepared: Prepared, memory = availableMemory()): Promise<void> {
  const state = await openState(prepared, { unchecked: true });
  const { steps } = state.graph();
  const states = statesOf(steps, state.outcomes);
  const planned = steps.map((step) => ({ step, state: states.get(step.id) ?? "to-do", forecast: undefined }));
  const disk = { diskBytes: diskOf(planned, prepared), diskFree: await freeDisk(prepared.folder.root) };
  const [obstacle] = obstaclesOf({ ...disk, memoryBytes: await leastMemory(planned, prepared) }, memory);
  if (obstacle !== undefined) throw new UserError(obstacle);
}

/** Of the largest step that is still to be carried out. */
async function leastMemory(steps: readonly PlannedStep[], { inputs, engine }: Prepared): Promise<number> {
  const parameters = new Map<string, number>();
  let most = 0;
  for (const { step, state } of steps) {
    const { leastPerParameter } = definitionOf(step.kind).memory;
    if (state === "done" || step.cell === undefined || leastPerParameter === 0) continue;
    const { path } = inputs.get("model", step.cell.model);
    const count = parameters.get(path) ?? (await parametersOf(openEngine(engine), path));
    parameters.set(path, count);
    most = Math.max(most, count * leastPerParameter);
  }
  return most;
}

async function parametersOf(engine: Engine, directory: string): Promise<number> {
  await using model = await engine.open(directory, { toPlan: true });
  return model.dims.parameters;
}

/** Steps of equal keys are carried out once. */
function totalsOf(steps: readonly PlannedStep[]): Omit<PlanTotals, "diskBytes" | "diskFree"> {
  const distinct = [...new Map(steps.map((one) => [one.step.plan?.key, one])).values()];
  const forecasts = distinct.flatMap(({ step, forecast }) =>
    forecast === undefined ? [] : [{ lane: definitionOf(step.kind).lane, ...forecast }],
  );
  const computing = forecasts.filter(({ lane }) => lane === "computing");
  const sumOf = (key: "dollars" | "likelyDollars"): number | undefined => {
    const priced = forecasts.flatMap((one) => one[key] ?? []);
    return priced.length === 0 ? undefined : priced.reduce((sum, value) => sum + value, 0);
  };
  return {
    seconds: computing.reduce((sum, { seconds = 0 }) => sum + seconds, 0),
    atMost: computing.some(({ atMost }) => atMost),
    memoryBytes: Math.max(0, ...forecasts.map(({ memoryBytes }) => memoryBytes)),
    calls: forecasts.reduce((sum, { calls }) => sum + calls, 0),
    dollars: sumOf("dollars"),
    likelyDollars: sumOf("likelyDollars"),
  };
}

/** A tuned model is as large as its base, once for each epoch that is kept. */
function diskOf(steps: readonly PlannedStep[], { inputs }: Prepared): number {
  return steps.reduce((sum, { step, state }) => {
    if (state === "done" || step.cell === undefined || step.plan === undefined) return sum;
    const models = definitionOf(step.kind).models(step.plan.work);
    return models === 0 ? sum : sum + models * weightBytes(inputs.get("model", step.cell.model).path);
  }, 0);
}
