/**
 * A copy of a graph with some nodes replaced: the copy has only what its outputs need.
 * May not know: what is replaced, and why.
 */
import { invariant, present } from "../util/errors.js";
import { apply, createGraph, input } from "./build.js";
import { liveFor } from "./live.js";
import { type Graph, isOp, type Node, type Op, type Value } from "./ops.js";

/** What stands in the new graph for the outputs of `node`, made of its new `inputs`; undefined keeps the node as it is. */
export type Replace = (node: Node, inputs: readonly Value[]) => readonly Value[] | undefined;

/** Inputs keep their names; one that the replacements no longer use stays, unused. */
export function rewrite(
  from: Graph,
  outputs: ReadonlyMap<string, Value>,
  replace: Replace,
): { readonly graph: Graph; readonly outputs: ReadonlyMap<string, Value> } {
  const graph = createGraph();
  const values = new Map<Value, Value>();
  const renewed = (value: Value): Value => present(values.get(value), `%${value.id}`);
  const copy = (node: Node, inputs: readonly Value[]): readonly Value[] => {
    if (isOp(node, "input")) return [input(graph, node.params.name, node.params.type.dtype, node.params.type.shape)];
    return replace(node, inputs) ?? apply<Op>(graph, node.op, node.params, inputs);
  };
  for (const node of liveFor(from, [...outputs.values()]).nodes) {
    const made = copy(node, node.inputs.map(renewed));
    invariant(
      made.length === node.outputs.length,
      `${made.length} values for the ${node.outputs.length} of ${node.op}`,
    );
    node.outputs.forEach((value, i) => {
      values.set(value, present(made[i], node.op));
    });
  }
  return { graph, outputs: new Map([...outputs].map(([name, value]) => [name, renewed(value)])) };
}
