/**
 * The rope scaling of Llama 3.1 and later out of the table that a GGUF file has in its place: `rope_freqs.weight` holds, for each pair
 * of dimensions, what its frequency is divided by, and not the settings that the divisors were computed from.
 * Source: llama.cpp `convert_hf_to_gguf.py`, `LlamaModel.generate_extra_tensors`; Transformers `_compute_llama3_parameters`.
 * May not know: where the table is read from.
 */
import { UserError } from "../util/errors.js";

/** What every published Llama from 3.1 on has; only `factor` differs between them (8, or 32 in 3.2). */
const SETTINGS = { low_freq_factor: 1, high_freq_factor: 4, original_max_position_embeddings: 8192 } as const;

/** The converter computes in single precision, with a power and a few quotients. */
const TOLERANCE = 1e-4;

/**
 * @param divisors  one for each pair of rotated dimensions
 * @param theta     base of the frequencies
 * @returns         `rope_scaling` as Transformers has it, or null where the table changes nothing
 * @throws UserError  no published settings give this table
 */
export function scalingOfDivisors(
  divisors: Float32Array,
  { theta, headDim, file }: { readonly theta: number; readonly headDim: number; readonly file: string },
): Record<string, unknown> | null {
  const factor = divisors.reduce((most, divisor) => Math.max(most, divisor), 1);
  if (factor === 1 && divisors.every((divisor) => divisor === 1)) return null;
  const matches = divisors.every((divisor, i) => {
    const wanted = llama3Divisor(theta ** ((-2 * i) / headDim), factor);
    return Math.abs(divisor - wanted) <= TOLERANCE * wanted;
  });
  if (matches && 2 * divisors.length === headDim) return { rope_type: "llama3", factor, ...SETTINGS };
  throw new UserError(`${file} has a table of rope frequencies that is not Llama 3's`, {
    remedy: "take the model from its own repository",
  });
}

/** Long waves are stretched by `factor`, short ones kept, those between blended. */
function llama3Divisor(frequency: number, factor: number): number {
  const { low_freq_factor: low, high_freq_factor: high, original_max_position_embeddings: original } = SETTINGS;
  const turns = (original * frequency) / (2 * Math.PI);
  if (turns > high) return 1;
  if (turns < low) return factor;
  const kept = (turns - low) / (high - low);
  return 1 / ((1 - kept) / factor + kept);
}
