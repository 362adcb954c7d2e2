/**
 * May an output be written over an input? The runtime orders nodes by data alone, so whatever else is made of the input may read
 * it after the output is written; and it fuses nodes, so a product may be written while its operand is still being read.
 * May not know: memory, execution.
 */
import { present } from "../util/errors.js";
import { sameShape } from "./dims.js";
import { liveFor } from "./live.js";
import { elementwise, type Graph, type Node, type Value } from "./ops.js";

/** May the output of this name be written over the input of that name? */
export type MayOverwrite = (output: string, input: string) => boolean;

/**
 * True where the output is made of the input element by element (or by adding rows to it), and every other output that depends
 * on the input does so through this output alone: `m' = f(m)` and `w' = g(w, m')`, but not `m' = f(m)` and `norm = h(m)`.
 */
export function overwrites(graph: Graph, outputs: ReadonlyMap<string, Value>): MayOverwrite {
  const { nodes } = liveFor(graph, [...outputs.values()]);
  return (output, inputName) => {
    const written = present(outputs.get(output), `output ${output}`);
    const reached = new Set<Value>([present(graph.inputs.get(inputName), `input ${inputName}`)]);
    for (const node of nodes) {
      if (!node.inputs.some((value) => reached.has(value))) continue;
      if (!inPlace(node, reached)) return false;
      for (const value of node.outputs) if (value !== written) reached.add(value);
    }
    return [...outputs].every(([name, value]) => name === output || value === written || !reached.has(value));
  };
}

function inPlace(node: Node, reached: ReadonlySet<Value>): boolean {
  const shape = present(node.outputs[0], node.op).type.shape;
  return node.inputs.every((value, i) => {
    if (!reached.has(value) || node.op === "reshape") return true;
    if (node.op === "scatterAdd") return i === 0;
    return elementwise.has(node.op) && sameShape(value.type.shape, shape);
  });
}
