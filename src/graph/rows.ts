/**
 * Some rows of a value, chosen as early as possible: what works row by row below them is computed for these rows alone. In the last
 * layer of a decoder that is all that follows attention's product: projections, norms and feed-forward see only positions that are read.
 * May not know: models, gradients (chosen rows are differentiated like any other value).
 */
import { present } from "../util/errors.js";
import { apply, gather } from "./build.js";
import { elementwise, isOp, type Node, type Op, type Value } from "./ops.js";

/**
 * The same numbers as `gather(value, ids)`: value [N, ...], ids [K] → [K, ...]. What `value` alone is made of is repeated for the
 * chosen rows and no longer needed whole; rows of everything else are looked up.
 */
export function rowsOf(value: Value, ids: Value): Value {
  const movable = readForNothingElse(value);
  const chosen = new Map<Value, Value>();
  const choose = (whole: Value): Value => {
    const rows = chosen.get(whole) ?? (movable.has(whole.node) ? again(whole) : gather(whole, ids));
    chosen.set(whole, rows);
    return rows;
  };
  const again = ({ node, index, graph }: Value): Value => {
    const byRow = rowOperands(node);
    const operands = node.inputs.map((operand, i) => (byRow.has(i) ? choose(operand) : operand));
    return present(apply<Op>(graph, node.op, node.params, operands)[index], node.op);
  };
  return choose(value);
}

/** Nodes that work row by row, and whose outputs are `value` or rows for such nodes. */
function readForNothingElse(value: Value): ReadonlySet<Node> {
  const movable = new Set<Node>();
  const [rows, whole] = [new Set([value]), new Set<Value>()];
  for (const node of [...value.graph.nodes].reverse()) {
    const byRow = rowOperands(node);
    const wanted = node.outputs.some((output) => rows.has(output));
    const moves = wanted && byRow.size > 0 && !node.outputs.some((output) => whole.has(output));
    if (moves) movable.add(node);
    node.inputs.forEach((operand, i) => {
      (moves && byRow.has(i) ? rows : whole).add(operand);
    });
  }
  return movable;
}

/** Operands of which row n alone, along the first axis, makes row n of the outputs; none where a node joins rows. */
function rowOperands(node: Node): ReadonlySet<number> {
  const shape = present(node.outputs[0], node.op).type.shape;
  if (elementwise.has(node.op)) {
    const hasRows = ({ type }: Value): boolean => type.shape.length === shape.length && type.shape[0] === shape[0];
    return new Set(node.inputs.flatMap((operand, i) => (hasRows(operand) ? [i] : [])));
  }
  const flatProduct = isOp(node, "matmul") && shape.length === 2 && !node.params.transA;
  const norm = (node.op === "rmsNorm" || node.op === "layerNorm") && shape.length > 1;
  return new Set(flatProduct || norm ? [0] : []);
}
