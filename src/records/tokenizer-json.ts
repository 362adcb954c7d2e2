/**
 * Parts of a `tokenizer.json` that every one we write has, laid out as the Rust library writes them.
 * May not know: where vocabularies come from.
 */

/** An entry of `added_tokens`; special ones are left out of decoded text. */
export const addedToken = (id: number, content: string, special = true): Record<string, unknown> => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special,
});

/** A `post_processor` that puts one token in front of every text. */
export function startWith(token: string, id: number): Record<string, unknown> {
  const begin = (type: number): object => ({ SpecialToken: { id: token, type_id: type } });
  const text = (name: "A" | "B", type: number): object => ({ Sequence: { id: name, type_id: type } });
  return {
    type: "TemplateProcessing",
    single: [begin(0), text("A", 0)],
    pair: [begin(0), text("A", 0), begin(1), text("B", 1)],
    special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
  };
}

export interface BpeModel {
  readonly vocab: Readonly<Record<string, number>>;
  readonly merges: readonly (readonly [string, string])[];
  readonly unk_token?: string | null;
  readonly fuse_unk?: boolean;
  readonly byte_fallback?: boolean;
  readonly ignore_merges?: boolean;
}

/** A `model` of byte pair encoding. */
export const bpeModel = ({ vocab, merges, ...more }: BpeModel) => ({
  type: "BPE",
  dropout: null,
  unk_token: null,
  continuing_subword_prefix: null,
  end_of_word_suffix: null,
  fuse_unk: false,
  byte_fallback: false,
  ignore_merges: false,
  ...more,
  vocab,
  merges,
});
