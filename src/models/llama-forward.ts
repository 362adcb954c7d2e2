/**
 * The forward pass of Llama and of the families that keep it: norms before either half of a layer, rotary positions on whole heads.
 * May not know: config.json, names of parameters.
 */
import { add, gather, rmsNorm } from "../graph/build.js";
import type { Value } from "../graph/ops.js";
import { paddingRow, type Sizes } from "./config.js";
import type { decoderParameters, llamaLayer } from "./decoder.js";
import { gated, mergeHeads, project, rotate, splitHeads } from "./layers.js";
import type { ForwardInputs, RopeTables, Values } from "./model.js";

type Config = Parameters<typeof paddingRow>[0] & Sizes & { readonly rms_norm_eps: number };

/** `qNorm` and `kNorm` are over one head each. */
type Layer = Values<ReturnType<typeof llamaLayer>> & { readonly qNorm?: Value; readonly kNorm?: Value };
type Decoder = Values<Omit<ReturnType<typeof decoderParameters>, "layers">> & { readonly layers: readonly Layer[] };

/** @param windows  per layer how far back it sees */
export function llamaForward(
  c: Config,
  p: Decoder,
  { ids, batch, time, positions, attend }: ForwardInputs,
  tables: RopeTables,
  windows: readonly (number | undefined)[] = [],
): { readonly hidden: Value; readonly head: Value } {
  const scale = 1 / Math.sqrt(c.headDim);
  const norm = (y: Value, weight: Value): Value => rmsNorm(y, weight, c.rms_norm_eps);
  const heads = (y: Value, count: number, weight?: Value): Value => {
    const split = splitHeads(y, batch, time, count, c.headDim);
    return weight === undefined ? split : norm(split, weight);
  };
  let x = gather(p.embed, ids, paddingRow(c)); // [B*T, D]
  p.layers.forEach((layer, index) => {
    const h = norm(x, layer.attentionNorm);
    const q = rotate(heads(project(h, layer.q), c.num_attention_heads, layer.qNorm), positions, tables);
    const k = rotate(heads(project(h, layer.k), c.kvHeads, layer.kNorm), positions, tables);
    const v = heads(project(h, layer.v), c.kvHeads);
    const attended = attend(q, k, v, { index, window: windows[index], scale });
    x = add(x, project(mergeHeads(attended, batch, time, c.num_attention_heads, c.headDim), layer.o));
    x = add(x, gated(norm(x, layer.mlpNorm), layer.mlp));
  });
  return { hidden: norm(x, p.norm), head: p.head ?? p.embed };
}
