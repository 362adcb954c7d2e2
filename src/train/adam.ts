/**
 * Adam over all parameters of a model: the state, the norm of the whole gradient, and one update a step.
 * Source: Kingma and Ba 2015, algorithm 1, with ε outside the root as PyTorch's `torch.optim.Adam` has it.
 * May not know: models, losses.
 */
import type { Accumulators, Device, Tensor } from "../runtime/device.js";
import { present } from "../util/errors.js";

export interface AdamOptions {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

/** Euclidean norm of all gradients together. */
export async function gradientNorm(device: Device, accumulators: ReadonlyMap<string, Accumulators>): Promise<number> {
  let total = 0;
  for (const { gradient } of accumulators.values()) total += await device.sumOfSquares(gradient);
  return Math.sqrt(total);
}

/**
 * One update in place.
 * @param at.step          from 1, for the bias correction
 * @param at.gradientScale what every gradient is multiplied by first (clipping)
 */
export async function updateByAdam(
  device: Device,
  { beta1, beta2, epsilon }: AdamOptions,
  parameters: ReadonlyMap<string, Tensor>,
  accumulators: ReadonlyMap<string, Accumulators>,
  at: { readonly step: number; readonly learningRate: number; readonly gradientScale: number },
): Promise<void> {
  const step = {
    ...{ beta1, beta2, epsilon },
    gradientScale: at.gradientScale,
    stepSize: at.learningRate / (1 - beta1 ** at.step),
    secondScale: 1 / Math.sqrt(1 - beta2 ** at.step),
  };
  for (const [name, parameter] of parameters) {
    await device.adam({ parameter, ...present(accumulators.get(name), name) }, step);
  }
}
