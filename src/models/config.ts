/** What the config.json of several families have in common. Fields that change the result and are not honoured are refused by name. */
import { z } from "zod";
import type { ModelDims } from "./model.js";

/** A size. No model comes near the bound; what a file says beyond it would be allocated before a weight is looked at. */
export const positiveInt = z
  .number()
  .int()
  .positive()
  .max(2 ** 24);

/** The number of layers, each of which is built before a weight is looked at. */
export const layerCount = positiveInt.max(4096);

/** A field that must keep the one value that is honoured, or be absent. */
export const only = <V extends string | number | boolean | null>(value: V, why = "is not honoured") =>
  z
    .unknown()
    .optional()
    .superRefine((given, context) => {
      if (given !== undefined && given !== null && given !== value) {
        context.addIssue({
          code: "custom",
          message: `${JSON.stringify(given)} ${why} (only ${JSON.stringify(value)})`,
        });
      }
    });

/** The sizes of a decoder in the style of Llama. */
export const decoderSizes = {
  vocab_size: positiveInt,
  hidden_size: positiveInt,
  intermediate_size: positiveInt,
  num_hidden_layers: layerCount,
  num_attention_heads: positiveInt,
  head_dim: positiveInt.nullish(),
  hidden_act: only("silu"),
  pad_token_id: z.number().int().nullish(),
} as const;

/**
 * `torch.nn.Embedding`'s `padding_idx`: the row of the padding token gets no gradient from where it is read. Counts from the end where negative.
 */
export const paddingRow = (c: {
  readonly vocab_size: number;
  readonly pad_token_id?: number | null | undefined;
}): number | undefined =>
  c.pad_token_id == null ? undefined : c.pad_token_id < 0 ? c.vocab_size + c.pad_token_id : c.pad_token_id;

/**
 * Fields of related architectures that no family here has. Transformers would leave them out without a word; a model that
 * carries one was made for another computation.
 */
export const foreign = {
  quantization_config: only(null),
  is_encoder_decoder: only(false),
  add_cross_attention: only(false),
  use_bidirectional_attention: only(false),
  attention_chunk_size: only(null),
  attn_logit_softcapping: only(null),
  final_logit_softcapping: only(null),
  embedding_multiplier: only(1),
  residual_multiplier: only(1),
  attention_multiplier: only(null),
  logits_scaling: only(1),
  logit_scale: only(1),
  qk_layernorm: only(false),
  use_qk_norm: only(false),
  no_rope_layers: only(null),
  alibi: only(false),
} as const;

const LAYER_TYPES = ["full_attention", "sliding_attention"] as const;
export type LayerType = (typeof LAYER_TYPES)[number];
/** One entry a layer; kinds other than full and sliding attention are refused by name. */
export const layerTypes = z.array(z.enum(LAYER_TYPES)).nullish();

/** A family in which every layer sees everything. */
export const fullAttention = {
  sliding_window: only(null),
  use_sliding_window: only(false),
  layer_types: z
    .array(z.unknown())
    .nullish()
    .superRefine((types, context) => {
      const other = types?.find((type) => type !== "full_attention");
      if (other !== undefined)
        context.addIssue({
          code: "custom",
          message: `${JSON.stringify(other)} is not honoured (only "full_attention")`,
        });
    }),
} as const;

interface Heads {
  readonly hidden_size: number;
  readonly num_attention_heads: number;
  readonly num_key_value_heads?: number | null | undefined;
  readonly head_dim?: number | null | undefined;
}

/** Width of a head and number of key/value heads; for a schema's `transform`. */
export function headShape(c: Heads, context: z.RefinementCtx): { readonly headDim: number; readonly kvHeads: number } {
  const kvHeads = c.num_key_value_heads ?? c.num_attention_heads;
  const headDim = c.head_dim ?? c.hidden_size / c.num_attention_heads;
  const refuse = (field: string, message: string): void => context.addIssue({ code: "custom", path: [field], message });
  if (c.num_attention_heads % kvHeads !== 0)
    refuse("num_key_value_heads", `${c.num_attention_heads} query heads cannot share ${kvHeads} key/value heads`);
  if (!Number.isInteger(headDim))
    refuse("num_attention_heads", `a width of ${c.hidden_size} does not divide into whole heads`);
  else if (headDim % 2 !== 0) refuse("head_dim", `rotary embeddings need an even width, not ${headDim}`);
  return { headDim, kvHeads };
}

/** Qwen's sliding windows: `layer_types`, or every layer from `max_window_layers` on, where `use_sliding_window` says so. */
export const slidingFields = {
  use_sliding_window: z.boolean().default(false),
  sliding_window: positiveInt.nullable().default(4096),
  max_window_layers: z.number().int().nonnegative().default(28),
  layer_types: layerTypes,
} as const;

interface Sliding {
  readonly num_hidden_layers: number;
  readonly use_sliding_window: boolean;
  readonly sliding_window: number | null;
  readonly max_window_layers: number;
  readonly layer_types?: readonly LayerType[] | null | undefined;
}

/** Per layer how far back it sees; for a schema's `transform`. */
export function windowsOf(c: Sliding, context: z.RefinementCtx): (number | undefined)[] {
  const window = c.use_sliding_window ? (c.sliding_window ?? undefined) : undefined;
  const slides = (i: number): boolean =>
    c.layer_types ? c.layer_types[i] === "sliding_attention" : window !== undefined && i >= c.max_window_layers;
  const refuse = (message: string): void => context.addIssue({ code: "custom", path: ["layer_types"], message });
  if (c.layer_types && c.layer_types.length !== c.num_hidden_layers) refuse("not one entry a layer");
  if (c.layer_types?.includes("sliding_attention") && window === undefined)
    refuse('"sliding_attention" needs "use_sliding_window" and "sliding_window"');
  return Array.from({ length: c.num_hidden_layers }, (_, i) => (slides(i) ? window : undefined));
}

/** Sizes under the names that most families give them, heads as `headShape` leaves them. */
export interface Sizes {
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly max_position_embeddings: number;
  readonly headDim: number;
  readonly kvHeads: number;
}

/** @param windows  per layer how far back it sees; default: everywhere */
export const dimsOf = (c: Sizes, windows?: ModelDims["windows"]): ModelDims => ({
  vocabSize: c.vocab_size,
  hiddenSize: c.hidden_size,
  heads: c.num_attention_heads,
  kvHeads: c.kvHeads,
  headDim: c.headDim,
  maxPositions: c.max_position_embeddings,
  windows: windows ?? Array.from({ length: c.num_hidden_layers }, () => undefined),
});
