/** Which nodes matter for some outputs, and which outputs of a node are used: the rest is never lowered nor run. */
import type { Graph, Node, Value } from "./ops.js";

export interface Live {
  /** In graph order. */
  readonly nodes: readonly Node[];
  readonly values: ReadonlySet<Value>;
}

export function liveFor(graph: Graph, outputs: readonly Value[]): Live {
  const values = new Set(outputs);
  const nodes: Node[] = [];
  for (const node of [...graph.nodes].reverse()) {
    if (!node.outputs.some((value) => values.has(value))) continue;
    nodes.push(node);
    for (const value of node.inputs) values.add(value);
  }
  return { nodes: nodes.reverse(), values };
}
