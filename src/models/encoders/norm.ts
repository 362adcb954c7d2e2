/** Layer norms with weight and bias, as encoders have them behind every block. */
import { layerNorm } from "../../graph/build.js";
import type { Value } from "../../graph/ops.js";

export const affine = (name: string, width: number) => ({
  weight: { name: `${name}.weight`, shape: [width] },
  bias: { name: `${name}.bias`, shape: [width] },
});

export const normalize = (
  x: Value,
  { weight, bias }: { readonly weight: Value; readonly bias: Value },
  epsilon: number,
): Value => layerNorm(x, weight, bias, epsilon);
