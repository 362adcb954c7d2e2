/**
 * The steps of a study, as a pure function of the study, its inputs and the epochs chosen so far. Steps that read what an unmade choice
 * decides are there without a plan; when the choice is made, it is made again.
 *
 * A step comes after everything that it needs.
 * May not know: what exists on disk.
 */
import { addAnalyses } from "./analyses.js";
import { modelsOf } from "./arms.js";
import { addArm } from "./graph-arms.js";
import { type Graph, type GraphContext, openBuilder } from "./graph-builder.js";
import { addComparisons } from "./graph-comparisons.js";

export function buildGraph(context: GraphContext): Graph {
  const builder = openBuilder(context);
  const { study } = context;
  for (const [name, arm] of Object.entries(study.arms)) {
    for (const model of modelsOf(study, arm)) addArm(builder, { name, arm, model });
  }
  addComparisons(builder);
  addAnalyses(builder);
  return { steps: builder.steps, cells: builder.cells.map(({ node }) => node), leftOut: builder.leftOut };
}
