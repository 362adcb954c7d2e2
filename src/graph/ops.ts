/**
 * The closed union of operators and what each is given. Everything else about an operator stands in four complete tables:
 * `infer.ts` (shapes), `gradient.ts` (reverse mode), `lower.ts` (ONNX operators), `interpret.ts` (the slow judge).
 * May not know: ONNX's wire format, models.
 */
import type { Dim, Shape } from "./dims.js";

export type DType = "f32" | "i64" | "bool" | "u8";

export interface TensorType {
  readonly dtype: DType;
  readonly shape: Shape;
}

export interface OpParams {
  /** A value fed at run time, or baked into the program as a constant. */
  input: { readonly name: string; readonly type: TensorType };
  /** One number, shape []. */
  scalar: { readonly value: number };
  /** A tensor of one repeated number. */
  fill: { readonly value: number; readonly shape: Shape };

  add: None;
  sub: None;
  mul: None;
  div: None;
  maximum: None;
  /** 1 where a < b, else 0 (bool). */
  less: None;
  /** Elementwise a ? b : c. */
  select: None;
  neg: None;
  exp: None;
  log: None;
  sqrt: None;
  tanh: None;
  sigmoid: None;
  /** The error function, 2/√π ∫₀ˣ exp(−t²) dt. */
  erf: None;
  /** x · sigmoid(x). */
  silu: None;
  /** The tanh form of GELU. */
  geluTanh: None;
  cast: { readonly to: DType };

  /** alpha · A·B over the last two axes, batch axes broadcast; transA, transB swap the last two axes first. */
  matmul: { readonly transA: boolean; readonly transB: boolean; readonly alpha: number };
  /**
   * x [R,K] · Wᵀ with W [N,K] held in 8 bits, blocks of `blockSize` along K sharing a scale: codes u8 [N, ⌈K/blockSize⌉, blockSize],
   * scales [N, ⌈K/blockSize⌉], W[n,k] = (code − 128) · scale. With `activations` `i8` each block of a row of x is rounded to
   * max|x| / 127 steps as well, where the codes are constants of the program. Not differentiable: for decoding only.
   */
  linearQ8: { readonly blockSize: number; readonly activations: "f32" | "i8" };
  /**
   * softmax(S) · V over the last two axes: scores S [..., R, K], V [..., K, hd]. Outputs: y [..., R, hd], and the probabilities
   * [..., R, K], which the gradient needs.
   */
  softmaxMatmul: None;
  /**
   * Cross-entropy of a linear head without its logits ever existing whole: h [R,D], W [V,D], targets [R], weights [R].
   * Outputs: loss [] = Σ weights · nll, and its derivatives by h and W (made in the same pass, omitted when unused).
   */
  linearCrossEntropy: { readonly chunks: number };

  sum: Reduce;
  mean: Reduce;
  max: Reduce;
  /** Over the last axis. */
  softmax: None;
  logSoftmax: None;
  /** Running sum over the last axis. */
  cumsum: None;
  /** Index of the largest of the last axis, the first on ties; drops the axis. */
  argmax: None;
  /** The k largest of the last axis in falling order: values, indices. */
  topk: { readonly k: number };

  /** x / rms(x) · w over the last axis. Outputs: y, 1 / rms [..., 1]. */
  rmsNorm: { readonly epsilon: number };
  /** (x − mean) / sd · w + b over the last axis. Outputs: y, mean [..., 1], 1 / sd [..., 1]. */
  layerNorm: { readonly epsilon: number };
  /**
   * Rotary position embedding (RoFormer), halves paired as Hugging Face's Llama does: x [B,H,T,hd], positions i64 [B,T] or [1,T],
   * cos and sin [P, hd/2]. `inverse` turns the other way, which is the gradient.
   */
  rotary: { readonly inverse: boolean };

  reshape: { readonly shape: Shape };
  transpose: { readonly perm: readonly number[] };
  broadcast: { readonly shape: Shape };
  /** `[start, start + size)` of one axis of known size. */
  slice: { readonly axis: number; readonly start: number; readonly size: number };
  concat: { readonly axis: number };
  /** `parts` equal parts of one axis of known size. */
  split: { readonly axis: number; readonly parts: number };
  /** Rows of a table: table [V, ...], ids [...] → ids.shape + table.shape[1..]. */
  gather: {
    /** A row that no gradient reaches this way: torch.nn.Embedding's `padding_idx`. */
    readonly untrained?: number;
  };
  /** base [V,D] with updates [N,D] added to rows ids [N]. */
  scatterAdd: None;
  /** x [N,V], ids [N] → x[n, ids[n]] as [N]. */
  pick: None;
}

interface Reduce {
  readonly axes: readonly number[];
  readonly keepDims: boolean;
}
type None = Record<never, never>;

export type Op = keyof OpParams;

/** Element i of the output is made of element i of every operand of the same shape. */
export const elementwise: ReadonlySet<Op> = new Set<Op>([
  "add",
  "sub",
  "mul",
  "div",
  "maximum",
  "less",
  "select",
  "neg",
  "exp",
  "log",
  "sqrt",
  "tanh",
  "sigmoid",
  "erf",
  "silu",
  "geluTanh",
]);

export interface Node<O extends Op = Op> {
  readonly op: O;
  readonly params: OpParams[O];
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
}

/** One output of one node. */
export interface Value {
  readonly id: number;
  readonly graph: Graph;
  readonly type: TensorType;
  readonly node: Node;
  readonly index: number;
}

/** Nodes in an order in which every value is made before it is used. */
export interface Graph {
  readonly nodes: Node[];
  readonly inputs: Map<string, Value>;
  nextId: number;
}

export const isOp = <O extends Op>(node: Node, op: O): node is Node<O> & Node => node.op === op;
export type { Dim, Shape };
