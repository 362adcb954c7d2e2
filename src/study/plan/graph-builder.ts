/**
 * What the parts of a graph are made with: steps under construction, and how they are named and identified.
 * May not know: which steps a study has.
 */

import type { CellKey } from "../../records/study.js";
import type { Arm, Study } from "../../records/study-file.js";
import { invariant } from "../../util/errors.js";
import { type Limit, type Place, planStep, type Step, type StepWork } from "../step.js";
import type { Input, Inputs } from "./inputs.js";

export interface GraphContext {
  readonly study: Study;
  readonly inputs: Inputs;
  /** What else decides every result: the package's version, the engine and its threads. */
  readonly settings: { readonly tacit: string; readonly engine: string; readonly threads: number };
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
  readonly tune: { readonly step: string; readonly model: Place } | undefined;
  readonly answers: readonly { readonly split: "test" | "validation"; readonly step: string }[];
}

export const armKey = (model: string, arm: string): string => `${model}/${arm}`;

export interface ArmAt {
  readonly name: string;
  readonly arm: Arm;
  readonly model: string;
}

/** A model that can be asked: where it is, what identifies it, and the steps to wait for. Without `place`: not chosen yet. */
export interface Asked {
  readonly at: ArmAt;
  readonly seed: number | null;
  readonly epochs: number | null;
  readonly place: Place | undefined;
  readonly identity: unknown;
  readonly needs: readonly string[];
}

export interface CellDraft {
  readonly node: CellNode & { answers: { split: "test" | "validation"; step: string }[] };
}

export interface Builder {
  readonly context: GraphContext;
  readonly steps: Step[];
  readonly cells: CellDraft[];
  readonly leftOut: { what: string; reason: string }[];
  /** What each arm finally is, a model for each seed. */
  readonly finals: Map<string, readonly Asked[]>;
  add(step: Omit<Step, "plan">, plan: Planned | undefined): Step;
}

export interface Planned {
  readonly work: StepWork;
  readonly request: Record<string, unknown>;
}

export function openBuilder(context: GraphContext): Builder {
  const steps: Step[] = [];
  const { tacit, engine, threads } = context.settings;
  const ids = new Set<string>();
  return {
    context,
    steps,
    cells: [],
    leftOut: [],
    finals: new Map(),
    add(step, planned) {
      invariant(!ids.has(step.id), `two steps ${step.id}`);
      ids.add(step.id);
      const computes = !["judge", "choose", "compare"].includes(step.kind);
      const common = computes ? { tacit, engine, threads } : { tacit };
      const plan = planned === undefined ? undefined : planStep(planned.work, { ...common, ...planned.request });
      const whole = { ...step, plan };
      steps.push(whole);
      return whole;
    },
  };
}

export const file = ({ hash, spec }: Input, limit?: Limit): Record<string, unknown> => ({
  format: formatName(spec),
  sha256: hash,
  limit,
});
/** How data is read decides what it is: `lima:` and the ending, without the path. */
const formatName = (spec: string): string =>
  `${/^[A-Za-z][A-Za-z0-9_-]+(?=:)/.exec(spec)?.[0] ?? ""}:${/\.[^./]*$/.exec(spec)?.[0] ?? ""}`;

export const path = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined).join("/");
export const seedPart = (seed: number | null): string | undefined => (seed === null ? undefined : `seed-${seed}`);
export const epochsPart = (epochs: number | null): string | undefined =>
  epochs === null ? undefined : `epochs-${epochs}`;

export const templateOf = ({ study }: GraphContext, arm: Arm) => arm.template ?? study.template;
