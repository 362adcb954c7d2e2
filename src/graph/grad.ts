/**
 * Reverse mode: a walk backwards over a static graph, one rule call a node.
 * May not know: what operators mean (`gradient.ts` does), ONNX, models.
 */
import { invariant, present } from "../util/errors.js";
import { add, reshape, scalar, scatterAdd, sum } from "./build.js";
import { formatShape, type Shape, sameShape } from "./dims.js";
import { carriesMany, gradient } from "./gradient.js";
import { isOp, type Node, type Op, type Value } from "./ops.js";
import { recomputation } from "./recompute.js";

/**
 * d loss / d target for each target, as new nodes of the same graph.
 *
 * @param loss    f32 []
 * @param targets values that the loss depends on; the walk ends at each, so one that another target is made from gets nothing
 *                through that other
 * @param onto    per target a value of its shape that the gradient is added to (a running total), or undefined
 * @param options.recompute  keep only what passes from layer to layer, and make the rest again (`recompute.ts`)
 * @throws InvariantError  a target that the loss does not depend on, or an operator without a gradient in between
 */
export function grad(
  loss: Value,
  targets: readonly Value[],
  onto: readonly (Value | undefined)[] = [],
  { recompute = false }: { readonly recompute?: boolean } = {},
): readonly Value[] {
  const { dtype, shape } = loss.type;
  invariant(dtype === "f32" && shape.length === 0, `the loss is ${dtype}${formatShape(shape)}`);
  const { graph } = loss;
  const between = dependents(graph.nodes, targets);
  const contributions = new Map<Value, Value[]>([[loss, [scalar(graph, 1)]]]);
  targets.forEach((target, i) => {
    const total = onto[i];
    if (total !== undefined) contributions.set(target, [total]);
  });
  const kept = new Set(targets);
  const forward = [...graph.nodes];
  const again = recompute ? recomputation(forward, between) : (node: Node): Node => node;
  for (const node of forward.reverse()) {
    if (!between.has(node) || node.outputs.some((value) => kept.has(value))) continue;
    const all = node.outputs.map((value) => collect(contributions, value));
    const dy = carriesMany.has(node.op) ? all.find((one) => one !== undefined) : all[0];
    invariant(
      carriesMany.has(node.op) || all.slice(1).every((other) => other === undefined),
      `the loss depends on ${node.op}'s second output, which carries no gradient`,
    );
    if (dy === undefined) continue;
    const gradients = gradientsOf(again(node, dy), dy, all);
    node.inputs.forEach((value, i) => {
      const gradientOfInput = gradients[i];
      if (gradientOfInput === undefined || !(between.has(value.node) || kept.has(value))) return;
      const list = contributions.get(value) ?? [];
      list.push(sumToShape(gradientOfInput, value.type.shape));
      contributions.set(value, list);
    });
  }
  return targets.map((target, i) => {
    const flowed = (contributions.get(target)?.length ?? 0) - (onto[i] === undefined ? 0 : 1);
    invariant(flowed > 0, `the loss does not depend on %${target.id}`);
    return present(collect(contributions, target), "gradient");
  });
}

type Gradients = readonly (Value | undefined)[];

/** Nodes that a target feeds, directly or not. */
function dependents(nodes: readonly Node[], targets: readonly Value[]): ReadonlySet<Node> {
  const reached = new Set<Node>(targets.map((target) => target.node));
  for (const node of nodes) {
    if (node.inputs.some((value) => reached.has(value.node))) reached.add(node);
  }
  return reached;
}

function gradientsOf(node: Node, dy: Value, all: Gradients): Gradients {
  const rule = gradient[node.op] as ((n: Node<Op>, dy: Value, all: Gradients) => Gradients) | null;
  invariant(rule !== null, `${node.op} has no gradient and lies between the loss and a parameter`);
  const gradients = rule(node, dy, all);
  invariant(
    gradients.length === node.inputs.length,
    `${node.op}: ${gradients.length} gradients, ${node.inputs.length} inputs`,
  );
  return gradients;
}

/** The sum of everything that flowed into `value`. Scattered rows go straight into the running sum of the rest. */
function collect(contributions: ReadonlyMap<Value, Value[]>, value: Value): Value | undefined {
  const list = contributions.get(value);
  if (list === undefined) return undefined;
  const scattered = list.filter((part) => isScatterIntoZeros(part));
  const dense = list.filter((part) => !isScatterIntoZeros(part));
  const seed = dense.length > 0 ? dense : scattered.splice(0, 1);
  const total = seed.slice(1).reduce((acc, part) => add(acc, part), present(seed[0], "gradient"));
  return scattered.reduce((acc, part) => {
    const [, ids, updates] = part.node.inputs;
    return scatterAdd(acc, present(ids, "ids"), present(updates, "updates"));
  }, total);
}

function isScatterIntoZeros(value: Value): boolean {
  const base = value.node.inputs[0]?.node;
  return isOp(value.node, "scatterAdd") && base !== undefined && isOp(base, "fill") && base.params.value === 0;
}

/** Undoes a broadcast: sums the axes along which `shape` was repeated. */
function sumToShape(value: Value, shape: Shape): Value {
  if (sameShape(value.type.shape, shape)) return value;
  const extra = value.type.shape.length - shape.length;
  const axes = value.type.shape.flatMap((dim, i) => (i < extra || (shape[i - extra] === 1 && dim !== 1) ? [i] : []));
  return reshape(axes.length === 0 ? value : sum(value, axes, true), shape);
}
