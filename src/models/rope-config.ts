/**
 * Rotary embeddings as config.json describes them: `rope_theta` and `rope_scaling` of Transformers 4, `rope_parameters` of
 * Transformers 5. Kinds: default, linear, dynamic (which is the default up to `max_position_embeddings`, beyond which nothing
 * is computed here), llama3, yarn. Source of the formulas: `modeling_rope_utils.py` of Transformers.
 * May not know: tables, graphs, training, decoding.
 */
import { z } from "zod";
import { only, positiveInt } from "./config.js";
import type { RopeSpec } from "./model.js";

const KINDS = ["default", "linear", "dynamic", "llama3", "yarn"] as const;
type Kind = (typeof KINDS)[number];
const isKind = (name: string): name is Kind => (KINDS as readonly string[]).includes(name);

const positive = z.number().positive();
const shape = {
  rope_type: z.string().nullish(),
  type: z.string().nullish(),
  rope_theta: positive.nullish(),
  partial_rotary_factor: positive.max(1).nullish(),
  factor: positive.nullish(),
  original_max_position_embeddings: positiveInt.nullish(),
  low_freq_factor: positive.nullish(),
  high_freq_factor: positive.nullish(),
  attention_factor: positive.nullish(),
  beta_fast: positive.nullish(),
  beta_slow: positive.nullish(),
  mscale: z.number().nonnegative().nullish(),
  mscale_all_dim: z.number().nonnegative().nullish(),
  truncate: z.boolean().nullish(),
  finetuned: z.boolean().nullish(), // a note to the reader
};
/** What a kind cannot do without. */
const NEEDS: Readonly<Record<Kind, readonly (keyof typeof shape)[]>> = {
  default: [],
  linear: ["factor"],
  dynamic: ["factor"],
  llama3: ["factor", "low_freq_factor", "high_freq_factor"],
  yarn: [],
};

const scaling = z.looseObject(shape);
export type RopeScaling = z.infer<typeof scaling>;
const kindOf = (given: RopeScaling | null | undefined): string => given?.rope_type ?? given?.type ?? "default";

/** One rotary embedding. */
export const ropeScaling = scaling.nullish().superRefine((given, context) => {
  const kind = kindOf(given);
  const refuse = (message: string): void => context.addIssue({ code: "custom", message });
  if (!isKind(kind)) return refuse(`rope scaling "${kind}" is not honoured (only ${KINDS.join(", ")})`);
  const unknown = Object.keys(given ?? {}).find((key) => !Object.hasOwn(shape, key));
  if (unknown !== undefined) return refuse(`"${unknown}" is not honoured`);
  const missing = NEEDS[kind].find((key) => given?.[key] === undefined || given[key] === null);
  if (missing !== undefined) return refuse(`rope scaling "${kind}" needs "${missing}"`);
});

/** The same over all of each head. */
export const wholeRope = ropeScaling.superRefine((given, context) => {
  const part = given?.partial_rotary_factor ?? 1;
  if (part !== 1)
    context.addIssue({ code: "custom", message: `"partial_rotary_factor" ${part} is not honoured (only 1)` });
});

/** The fields of a family with one rotary embedding over whole heads. */
export const ropeFields = {
  rope_theta: positive.nullish(),
  rope_scaling: wholeRope,
  rope_parameters: wholeRope,
  original_max_position_embeddings: positiveInt.nullish(),
  partial_rotary_factor: only(1),
} as const;

interface RopeConfig {
  readonly rope_theta?: number | null | undefined;
  readonly rope_scaling?: RopeScaling | null | undefined;
  readonly rope_parameters?: RopeScaling | null | undefined;
  readonly original_max_position_embeddings?: number | null | undefined;
  readonly max_position_embeddings: number;
}

/** `rope_scaling` where it says anything, as Transformers has it, else `rope_parameters`. */
export const scalingOf = (c: RopeConfig): RopeScaling =>
  (Object.keys(c.rope_scaling ?? {}).length > 0 ? c.rope_scaling : c.rope_parameters) ?? {};

/**
 * @param rotated  dimensions of each head that are turned, the first ones; an odd number is rounded up
 * @param theta    where the config names none
 */
export function ropeSpec(name: string, c: RopeConfig, rotated: number, theta = 10_000): RopeSpec {
  const given = scalingOf(c);
  const base = given.rope_theta ?? c.rope_theta ?? theta;
  // The published models computed the frequencies in single precision; so does this, or late positions drift apart.
  const periods = Float32Array.from(
    { length: Math.ceil(rotated / 2) },
    (_, i) => base ** Math.fround((2 * i) / rotated),
  );
  const plain = periods.map((period) => 1 / period);
  const original =
    c.original_max_position_embeddings ?? given.original_max_position_embeddings ?? c.max_position_embeddings;
  switch (kindOf(given) as Kind) {
    case "default":
    case "dynamic":
      return { name, frequencies: plain, magnitude: 1 };
    case "linear":
      return { name, frequencies: plain.map((f) => f / (given.factor ?? 1)), magnitude: 1 };
    case "llama3":
      return { name, frequencies: plain.map((f) => llama3(f, given, original)), magnitude: 1 };
    case "yarn":
      return yarn(name, periods, { ...given, base, rotated, original, extended: c.max_position_embeddings });
  }
}

/** Llama 3.1: long waves are stretched, short ones kept, those between blended. */
function llama3(frequency: number, given: RopeScaling, original: number): number {
  const [factor, low, high] = [given.factor ?? 1, given.low_freq_factor ?? 1, given.high_freq_factor ?? 1];
  const turns = original / ((2 * Math.PI) / frequency);
  if (turns < low) return frequency / factor;
  if (turns > high) return frequency;
  const kept = (turns - low) / (high - low);
  return ((1 - kept) * frequency) / factor + kept * frequency;
}

interface Yarn extends RopeScaling {
  readonly base: number;
  readonly rotated: number;
  readonly original: number;
  readonly extended: number;
}

/** YaRN (Peng et al. 2023), section 3.2: a ramp over dimensions between stretched and kept, and a scale of all scores. */
function yarn(name: string, periods: Float32Array, y: Yarn): RopeSpec {
  const factor = y.factor ?? y.extended / y.original;
  const dimension = (turns: number): number =>
    (y.rotated * Math.log(y.original / (turns * 2 * Math.PI))) / (2 * Math.log(y.base));
  const round = y.truncate === false ? [(x: number) => x, (x: number) => x] : [Math.floor, Math.ceil];
  const [down = Math.floor, up = Math.ceil] = round;
  const low = Math.max(down(dimension(y.beta_fast ?? 32)), 0);
  const high = Math.min(up(dimension(y.beta_slow ?? 1)), y.rotated - 1);
  const width = high === low ? 0.001 : high - low;
  const frequencies = periods.map((period, i) => {
    const stretched = Math.min(1, Math.max(0, (i - low) / width));
    return stretched / (factor * period) + (1 - stretched) / period;
  });
  return { name, frequencies, magnitude: y.attention_factor ?? yarnMagnitude(factor, y) };
}

function yarnMagnitude(factor: number, { mscale, mscale_all_dim: all }: RopeScaling): number {
  const of = (scale: number): number => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  return mscale && all ? of(mscale) / of(all) : of(1);
}
