/**
 * Which steps may begin now: what they need is done, nobody is at the same result already, and the machine has room beside what is
 * under way. One tuning at a time; judging beside everything that computes.
 * May not know: how a step is carried out, files.
 */
import type { Outcome, StepState } from "../../records/study.js";
import { beginsBefore, definitionOf, type Step } from "../steps.js";

/** Outcomes by key. */
export type Outcomes = ReadonlyMap<string, Outcome>;

export interface Room {
  /** Computing steps side by side. */
  readonly computing: number;
  /** Whether a step's memory is there beside those under way; asked only when another one is. */
  readonly fits: (step: Step) => boolean;
}

/** State of every step, in the order of the graph. */
export function statesOf(steps: readonly Step[], outcomes: Outcomes): Map<string, StepState> {
  const states = new Map<string, StepState>();
  for (const { id, needs, plan } of steps) {
    const outcome = plan === undefined ? undefined : outcomes.get(plan.key);
    const failed = needs.some((need) => ["failed", "blocked"].includes(states.get(need) ?? ""));
    if (outcome?.kind === "done") states.set(id, "done");
    else if (failed) states.set(id, "blocked");
    else if (outcome !== undefined) states.set(id, "failed");
    else states.set(id, plan === undefined ? "open" : "to-do");
  }
  return states;
}

/** The steps to begin now, in the order in which to begin them. */
export function startable(
  steps: readonly Step[],
  outcomes: Outcomes,
  running: readonly Step[],
  room: Room,
): readonly Step[] {
  const states = statesOf(steps, outcomes);
  const ready = steps.filter(
    ({ id, needs }) => states.get(id) === "to-do" && needs.every((need) => states.get(need) === "done"),
  );
  const begun: Step[] = [];
  for (const step of [...ready].sort((a, b) => beginsBefore(a.kind, b.kind))) {
    if (mayBegin(step, [...running, ...begun], room)) begun.push(step);
  }
  return begun;
}

function mayBegin(step: Step, running: readonly Step[], room: Room): boolean {
  if (running.some(({ plan }) => plan?.key === step.plan?.key)) return false;
  const { lane, alone } = definitionOf(step.kind);
  const beside = running.filter(({ kind }) => definitionOf(kind).lane === lane);
  if (lane === "light" || beside.length === 0) return true;
  if (alone && beside.some(({ kind }) => kind === step.kind)) return false;
  return lane === "computing" && beside.length < room.computing && room.fits(step);
}
