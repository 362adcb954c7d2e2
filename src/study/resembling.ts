/**
 * The similarity step as a study calls it.
 * May not know: the graph.
 */
import { UserError } from "../util/errors.js";
import type { Done } from "./carry-out.js";
import type { Place, StepWork } from "./step.js";

export interface SimilarityContext {
  readonly out: string;
  readonly at: (place: Place) => string;
  readonly threads: number;
  readonly say: (text: () => string) => void;
  readonly signal?: AbortSignal;
}

export async function measureSimilarity(
  _work: Extract<StepWork, { kind: "similarity" }>,
  _context: SimilarityContext,
): Promise<Done> {
  throw new UserError("similarity is not built in");
}
