/**
 * Carries out one step, as the definition of its kind says.
 * May not know: the graph, other steps, which kinds there are.
 */
import { join } from "node:path";
import type { Checkers } from "../../judge/checker.js";
import type { Watch } from "../../records/events.js";
import type { Computing, Done } from "../step.js";
import { definitionOf, type StepWork } from "../steps.js";

export interface CarryContext {
  /** The study's folder. */
  readonly root: string;
  readonly computing: Computing;
  /** For judges that are programs, by name. */
  readonly checkers?: Checkers;
}

/**
 * @param folder  the step's, in the study's folder
 * @throws UserError    it cannot be done; another run may try again
 * @throws Interrupted  stopped; what was finished is kept in the folder
 */
export function carryOut(work: StepWork, folder: string, context: CarryContext, watch: Watch = {}): Promise<Done> {
  const { root, computing, checkers = {} } = context;
  return definitionOf(work.kind).run(work, {
    folder: join(root, folder),
    at: (place) => ("outside" in place ? place.outside : join(root, place.inside)),
    common: computing,
    checkers,
    watch,
  });
}
