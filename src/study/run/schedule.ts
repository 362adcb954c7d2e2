/**
 * Which steps may begin now: what they need is done, nobody is at the same result already, and the machine has room beside what is
 * under way. One tuning at a time; judging beside everything that computes.
 * May not know: how a step is carried out, files.
 */
import type { Outcome, StepKind, StepState } from "../../records/study.js";
import type { Step } from "../step.js";

/** Outcomes by key. */
export type Outcomes = ReadonlyMap<string, Outcome>;

export interface Room {
  /** Computing steps side by side. */
  readonly computing: number;
  /** Whether a step's memory is there beside those under way; asked only when another one is. */
  readonly fits: (step: Step) => boolean;
}

type Lane = "computing" | "judging" | "light";

/** Calls to one judge share its limits, so that its steps come one after the other. */
export const laneOf = (kind: StepKind): Lane =>
  kind === "judge" ? "judging" : kind === "choose" || kind === "compare" ? "light" : "computing";

/** One of a kind at a time: tuning takes the memory, similarities share a ledger of embeddings. */
const ALONE: readonly StepKind[] = ["tune", "similarity"];

/** Answers come before tuning, so that the judge has something to do meanwhile; analyses come last. */
const ORDER: readonly StepKind[] = ["choose", "compare", "judge", "generate", "score", "tune", "similarity", "rank"];

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
  const rank = ({ kind }: Step): number => ORDER.indexOf(kind);
  for (const step of [...ready].sort((a, b) => rank(a) - rank(b))) {
    if (mayBegin(step, [...running, ...begun], room)) begun.push(step);
  }
  return begun;
}

function mayBegin(step: Step, running: readonly Step[], room: Room): boolean {
  if (running.some(({ plan }) => plan?.key === step.plan?.key)) return false;
  const beside = running.filter(({ kind }) => laneOf(kind) === laneOf(step.kind));
  switch (laneOf(step.kind)) {
    case "light":
      return true;
    case "judging":
      return beside.length === 0;
    case "computing":
      if (beside.length === 0) return true;
      if (beside.length >= room.computing) return false;
      if (ALONE.includes(step.kind) && beside.some(({ kind }) => kind === step.kind)) return false;
      return room.fits(step);
  }
}
