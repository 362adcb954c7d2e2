/**
 * Gradient checkpointing (Chen et al. 2016, "Training Deep Nets with Sublinear Memory Cost"): the values of a layer are not kept
 * for the backward pass, but made again from the layer's input when the pass arrives there.
 * May not know: gradients, models. A layer is what lies between two places that a single value passes.
 */
import { present } from "../util/errors.js";
import { add, apply, cast, fill, gather, mul } from "./build.js";
import { isOp, type Node, type Op, type Value } from "./ops.js";

/** Nodes between two cuts; everything in them is made of `input`, parameters and what is fed. */
interface Segment {
  readonly nodes: readonly Node[];
  /** The single value that reaches this segment from those before it. */
  readonly input: Value;
}

/**
 * The nodes to differentiate in place of the given ones.
 *
 * @param nodes     the whole forward pass, in order
 * @param depending those that depend on a parameter; only their values are worth keeping or not
 * @returns         (node, dy) → the node with its values made again; the first call for a segment adds it to the graph, and makes it
 *                  wait for `dy`
 */
export function recomputation(nodes: readonly Node[], depending: ReadonlySet<Node>): (node: Node, dy: Value) => Node {
  const segmentOf = new Map<Node, Segment>();
  for (const segment of segments(nodes.filter((node) => depending.has(node) && !isOp(node, "input")))) {
    for (const node of segment.nodes) segmentOf.set(node, segment);
  }
  const made = new Map<Segment, ReadonlyMap<Value, Value>>();
  return (node, dy) => {
    const segment = segmentOf.get(node);
    if (segment === undefined) return node;
    const again = made.get(segment) ?? repeat(segment, dy);
    made.set(segment, again);
    const renewed = (values: readonly Value[]): readonly Value[] => values.map((value) => again.get(value) ?? value);
    return { ...node, inputs: renewed(node.inputs), outputs: renewed(node.outputs) };
  };
}

/**
 * The nodes cut where a single value passes, one attention a segment. What lies before the first cut or after the last is left out: the
 * backward pass needs it at once, or it is small.
 */
function segments(nodes: readonly Node[]): Segment[] {
  const lastUse = new Map<Value, number>();
  nodes.forEach((node, i) => {
    for (const value of node.inputs) lastUse.set(value, i);
  });
  const inside = new Set(nodes);
  const found: Segment[] = [];
  let input: Value | undefined;
  let since: Node[] = [];
  const alive = new Set<Value>();
  nodes.forEach((node, i) => {
    since.push(node);
    for (const value of node.outputs) if ((lastUse.get(value) ?? -1) > i) alive.add(value);
    for (const value of node.inputs) if (inside.has(value.node) && lastUse.get(value) === i) alive.delete(value);
    const [passing] = alive;
    if (alive.size !== 1 || passing === undefined) return;
    if (input !== undefined && !since.some((one) => one.op === "softmaxMatmul")) return;
    if (input !== undefined) found.push({ nodes: since, input });
    input = passing;
    since = [];
  });
  return found;
}

/**
 * The segment once more. ONNX orders nodes by data alone, and would make it in the forward pass: so a zero taken from `dy` is added
 * to its input.
 */
function repeat({ nodes, input }: Segment, dy: Value): ReadonlyMap<Value, Value> {
  const firstRow = cast(fill(dy.graph, 0, [1]), "i64");
  const zero = mul(gather(dy, firstRow), 0); // [1, ...]
  const again = new Map<Value, Value>([[input, add(input, zero)]]);
  for (const node of nodes) {
    const inputs = node.inputs.map((value) => again.get(value) ?? value);
    const outputs = apply<Op>(dy.graph, node.op, node.params, inputs);
    node.outputs.forEach((value, i) => {
      again.set(value, present(outputs[i], node.op));
    });
  }
  return again;
}
