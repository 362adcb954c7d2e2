/** Is this graph sound? Called after every transformation; a wrong graph is our mistake, not the user's. */
import { invariant } from "../util/errors.js";
import { formatShape, sameShape } from "./dims.js";
import { infer } from "./infer.js";
import type { Graph, Op, OpParams, TensorType, Value } from "./ops.js";

export function checkGraph(graph: Graph): void {
  const made = new Set<Value>();
  for (const node of graph.nodes) {
    for (const value of node.inputs) {
      invariant(value.graph === graph, `${node.op} uses %${value.id} of another graph`);
      invariant(made.has(value), `${node.op} uses %${value.id} before it is made`);
    }
    const rule = infer[node.op] as (inputs: readonly TensorType[], params: OpParams[Op]) => readonly TensorType[];
    const types = rule(
      node.inputs.map((value) => value.type),
      node.params,
    );
    invariant(
      types.length === node.outputs.length,
      `${node.op}: ${node.outputs.length} outputs, ${types.length} expected`,
    );
    node.outputs.forEach((value, i) => {
      const type = types[i];
      invariant(
        type !== undefined && type.dtype === value.type.dtype && sameShape(type.shape, value.type.shape),
        `%${value.id} = ${node.op}: ${value.type.dtype}${formatShape(value.type.shape)} is not what its inputs give`,
      );
      made.add(value);
    });
  }
}
