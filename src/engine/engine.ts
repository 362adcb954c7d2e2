/**
 * What runs models, seen from above: a name, who answers for a result, and models to open (`opened.ts`). What an engine needs of the
 * machine (threads, precision, device) is said when it is made and known to nobody else.
 * May not know: any one engine.
 */
import type { Pooling } from "../records/similarity.js";
import type { Identity } from "./identity.js";
import type { ModelRef, OpenedEncoder, OpenedModel } from "./opened.js";
import type { Precision } from "./requests.js";

/** Which engine, and how it is to compute. */
export interface EngineSpec {
  /** Default: the embedded one. */
  readonly name?: "embedded";
  /** Of the weights of linear layers; default f32. */
  readonly precision?: Precision | undefined;
  /** Default: the cores there are. */
  readonly threads?: number | undefined;
}

export interface Engine {
  readonly name: string;
  /** Who computes with a model whose files have this hash. */
  identify(files: string): Identity;
  /**
   * @param how.toPlan  its plans alone are asked for: weights are neither opened nor checked, and nothing can be computed
   * @throws UserError  no such model, or one that is not supported
   */
  open(model: ModelRef, how?: { readonly toPlan?: boolean }): Promise<OpenedModel>;
  /**
   * Absent where it embeds no texts.
   *
   * @param pooling  default: as the encoder's publisher says
   * @throws UserError  no such encoder, one that is not supported, or nobody says how it is pooled
   */
  openEncoder?(encoder: ModelRef, pooling?: Pooling): Promise<OpenedEncoder>;
}
