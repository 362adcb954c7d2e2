/** Activation functions by the names that config.json gives them; several names stand for one function. */
import { z } from "zod";
import { gelu, geluTanh, less, mul, select, sigmoid, silu } from "../graph/build.js";
import type { Value } from "../graph/ops.js";

const ACTIVATIONS = {
  gelu,
  gelu_python: gelu,
  gelu_new: geluTanh,
  gelu_fast: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  quick_gelu: (x) => mul(x, sigmoid(mul(x, 1.702))),
  relu: (x) => select(less(0, x), x, mul(x, 0)),
  silu,
  swish: silu,
} as const satisfies Readonly<Record<string, (x: Value) => Value>>;

export type Activation = keyof typeof ACTIVATIONS;
const names = Object.keys(ACTIVATIONS) as [Activation, ...Activation[]];

/** Another name is refused by name. */
export const activation = z.enum(names);
export const activationOf = (name: Activation): ((x: Value) => Value) => ACTIVATIONS[name];
