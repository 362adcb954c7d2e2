/** A graph as text, one node a line, stable: for people and for snapshots. */
import { formatShape } from "./dims.js";
import { liveFor } from "./live.js";
import type { Graph, Node, Value } from "./ops.js";

/** The nodes that `outputs` need, numbered from 0 in order. */
export function printGraph(graph: Graph, outputs: readonly Value[]): string {
  const names = new Map<Value, string>();
  const lines = liveFor(graph, outputs).nodes.map((node) => line(node, names));
  return [...lines, `return ${outputs.map((value) => names.get(value)).join(", ")}`].join("\n");
}

function line(node: Node, names: Map<Value, string>): string {
  const inputs = node.inputs.map((value) => names.get(value)).join(", ");
  const outputs = node.outputs.map((value) => {
    names.set(value, `%${names.size}`);
    return `${names.get(value)}: ${value.type.dtype}${formatShape(value.type.shape)}`;
  });
  const params = Object.entries(node.params)
    .map(([key, value]) => `${key}=${JSON.stringify(value, exactNumber)}`)
    .join(" ");
  return `${outputs.join(", ")} = ${node.op}(${inputs})${params === "" ? "" : ` ${params}`}`;
}

/** JSON writes `null` for what is not finite and 0 for -0: four constants that must not look alike. */
function exactNumber(_key: string, value: unknown): unknown {
  return typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))
    ? Object.is(value, -0)
      ? "-0"
      : String(value)
    : value;
}
