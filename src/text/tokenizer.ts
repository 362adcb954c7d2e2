/**
 * What the rest of the program knows of a tokenizer. `huggingface.ts` and `llama2c.ts` implement it.
 * May not know: templates, tensors, data sets.
 */

export interface EncodeOptions {
  /** Run the post-processor, which may put a BOS in front; default true. */
  readonly special?: boolean;
  /**
   * The text is only text: `</s>` or `<|endoftext|>` in it are spelled out and never become a special id; default false,
   * as in Transformers, where they do. Templates always set it.
   */
  readonly plainText?: boolean;
  /** The text continues where other text ended: the tokenizer's own first space is left out; default false. */
  readonly continued?: boolean;
}

export interface Tokenizer {
  /** Ids the model's embedding must at least cover: the largest id + 1. */
  readonly vocabSize: number;
  /** Ids of `text`; without options exactly those of Transformers. */
  encode(text: string, options?: EncodeOptions): number[];
  /** The text of `ids` alone, special tokens skipped, nothing trimmed. */
  decode(ids: readonly number[]): string;
  /** The piece as the vocabulary writes it (`▁the`, `Ġthe`, `<0x0A>`), or undefined for an id it does not hold. */
  piece(id: number): string | undefined;
  /** The id of exactly that piece. */
  idOf(piece: string): number | undefined;
  /** The bytes that the token stands for in running text; undefined for special tokens and holes. */
  bytes(id: number): Uint8Array | undefined;
  /** Whether the token is special: skipped when decoding, never made from ordinary text by a template. */
  isSpecial(id: number): boolean;
  /** Whether `encode` leaves something of the text out, as Transformers does where a vocabulary has no token for it. */
  drops?(text: string): boolean;
}

/** A tokenizer and the control ids that its model directory declares. */
export interface TextModel {
  readonly tokenizer: Tokenizer;
  /** What encoding the empty text gives: at most one id here, else loading refuses. */
  readonly bosId: number | undefined;
  /** The BOS that config.json or tokenizer_config.json name; counts only where a person asks for `--bos always`. */
  readonly declaredBosId?: number | undefined;
  /** The id of `eos_token` (config, then tokenizer). */
  readonly eosId: number;
  /** `model_type` of config.json; OLMo 1 (`olmo`) uses its EOS as BOS. */
  readonly modelType: string;
  /** Of tokenizer.json and the tokens declared beside it, for records. */
  readonly hash: string;
}
