/**
 * What the parts of a graph are made with: steps under construction, and what identifies what they read.
 * May not know: which steps a study has.
 */
import type { CellKey } from "../../records/study.js";
import type { Arm, Study } from "../../records/study-file.js";
import { invariant } from "../../util/errors.js";
import type { Source } from "../step.js";
import { idOf, planStep, type Step, type StepSettings, type StepWork } from "../steps.js";
import type { Inputs } from "./sources.js";

export interface GraphContext {
  readonly study: Study;
  readonly inputs: Inputs;
  readonly settings: StepSettings;
  /** Chosen epochs by `armKey`. */
  readonly choices: ReadonlyMap<string, number>;
}

export interface Graph {
  readonly steps: readonly Step[];
  readonly cells: readonly CellNode[];
  readonly leftOut: readonly { readonly what: string; readonly reason: string }[];
}

/** One model of the study and the steps that it and its answers come from. */
export interface CellNode {
  readonly key: CellKey;
  readonly chosen: boolean;
  /** Where it is tuned: its step, and the model directory. */
  readonly tune: { readonly step: string; readonly model: { readonly inside: string } } | undefined;
  readonly answers: readonly { readonly split: Split; readonly step: string }[];
}

export type Split = "test" | "validation";

export const armKey = (model: string, arm: string): string => `${model}/${arm}`;

export interface ArmAt {
  readonly name: string;
  readonly arm: Arm;
  readonly model: string;
}

/** A model of an arm, and the steps to wait for. Without `source`: not chosen yet. */
export interface ArmModel {
  readonly at: ArmAt;
  readonly seed: number | null;
  readonly epochs: number | null;
  readonly source: Source | undefined;
  readonly needs: readonly string[];
}

/** What an arm finally is, for one seed, with its answers to the test, if anybody asks for them. */
export interface FinalModel extends ArmModel {
  readonly answers: Step | undefined;
}

export interface CellDraft {
  readonly node: CellNode & { answers: { split: Split; step: string }[] };
}

export interface Builder {
  readonly context: GraphContext;
  readonly steps: Step[];
  readonly cells: CellDraft[];
  readonly leftOut: { what: string; reason: string }[];
  /** What each arm finally is, a model for each seed. */
  readonly finals: Map<string, readonly FinalModel[]>;
  /** @param work  undefined where it is not known before a choice is made */
  add(step: Pick<Step, "name" | "needs" | "cell">, work: StepWork | undefined): Step;
}

export function openBuilder(context: GraphContext): Builder {
  const steps: Step[] = [];
  const ids = new Set<string>();
  return {
    context,
    steps,
    cells: [],
    leftOut: [],
    finals: new Map(),
    add(step, work) {
      const { name } = step;
      const id = idOf(name);
      invariant(!ids.has(id), `two steps ${id}`);
      ids.add(id);
      const plan = work === undefined ? undefined : planStep(work, context.settings);
      const whole = { ...step, id, kind: name.kind, plan };
      steps.push(whole);
      return whole;
    },
  };
}

export const cellOf = ({ at, seed, epochs }: ArmModel): CellKey => ({ model: at.model, arm: at.name, seed, epochs });

export const templateOf = ({ study }: GraphContext, arm: Arm) => arm.template ?? study.template;
