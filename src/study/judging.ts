/**
 * The judge's steps as a study calls them.
 * May not know: the graph.
 */
import { UserError } from "../util/errors.js";
import type { Done } from "./carry-out.js";
import type { Place, StepWork } from "./step.js";

export interface JudgingContext {
  /** The folder for annotations, ledger and run. */
  readonly out: string;
  readonly at: (place: Place) => string;
  readonly say: (text: () => string) => void;
  readonly signal?: AbortSignal;
}

export async function judgePair(_work: Extract<StepWork, { kind: "judge" }>, _context: JudgingContext): Promise<Done> {
  throw new UserError("judging is not built in");
}
