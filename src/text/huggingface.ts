/**
 * A `tokenizer.json` as a `Tokenizer`, exact to Hugging Face's Rust core; what it cannot do exactly it refuses by name
 * (docs/decisions/tokenizer.md).
 * May not know: templates, tensors, data sets, files.
 */
import { z } from "zod";
import { present } from "../util/errors.js";
import { type AddedToken, addedTokenSplitter, type Section } from "./added-tokens.js";
import { createWordPiece } from "./bert/wordpiece.js";
import { createBpe } from "./bpe.js";
import { type DeclaredTokens, declaredTokens, type FilesBeside, mergedTokens } from "./declared-tokens.js";
import { byteLevelBytes, byteOfPiece, decoderFrom } from "./decode.js";
import { normalizerFrom } from "./normalize.js";
import { surroundingsFrom } from "./post-process.js";
import { preTokenizerFrom } from "./pre-tokenize.js";
import type { EncodeOptions, Tokenizer } from "./tokenizer.js";
import { type Component, componentFrom, readTokenizerFile, refuse, type TokenizerFile } from "./tokenizer-json.js";
import { wellFormed } from "./unicode.js";
import type { WordEncoder } from "./word-encoder.js";

/**
 * @param json    the parsed `tokenizer.json`
 * @param beside  the parsed files beside it that declare tokens
 * @throws UserError  a file is malformed, or names something that we would not do exactly
 */
export function tokenizerFromJson(json: unknown, beside: FilesBeside = {}): Tokenizer {
  const declared = declaredTokens(beside);
  const alone = readTokenizerFile(json);
  const file = { ...alone, addedTokens: mergedTokens(alone, declared) };
  const pieces = piecesById(file);
  const ids = new Map([...pieces].map(([id, piece]) => [piece, id]));
  const special = specialIds(file, ids, declared);
  const surroundings = surroundingsFrom(file.postProcessor);
  for (const id of [...surroundings.before, ...surroundings.after]) {
    if (!pieces.has(id)) refuse(`the post-processor adds the id ${id}, which the vocabulary does not hold`);
  }
  const { encodeText, drops } = textEncoder(file, special);
  const decoder = decoderFrom(file.decoder);
  const byteLevel = preTokenizerFrom(file.preTokenizer).byteLevel || file.decoder?.type === "ByteLevel";
  const added = new Set(file.addedTokens.map((token) => token.id));
  const spaceMark = spaceMarkOf(file.decoder);
  const byteFallback = file.model.kind === "bpe" && file.model.byteFallback;
  const prefix = file.model.kind === "wordpiece" ? file.model.continuingPrefix : undefined;
  const textOf = (piece: string): Uint8Array => {
    if (prefix !== undefined) return utf8.encode(piece.startsWith(prefix) ? piece.slice(prefix.length) : piece);
    return utf8.encode(spaceMark === undefined ? piece : piece.replaceAll(spaceMark, " "));
  };

  return {
    vocabSize: largest(pieces.keys()) + 1,
    encode(text, options = {}) {
      const inner = encodeText(wellFormed(text), options);
      return options.special === false ? inner : [...surroundings.before, ...inner, ...surroundings.after];
    },
    decode: (row) => decoder(row.flatMap((id) => (special.has(id) ? [] : (pieces.get(id) ?? [])))).join(""),
    piece: (id) => pieces.get(id),
    idOf: (piece) => ids.get(piece),
    bytes(id) {
      const piece = pieces.get(id);
      if (piece === undefined || special.has(id)) return undefined;
      if (byteLevel) return added.has(id) ? utf8.encode(piece) : byteLevelBytes(piece);
      const byte = byteFallback ? byteOfPiece(piece) : undefined;
      return byte === undefined ? textOf(piece) : Uint8Array.of(byte);
    },
    isSpecial: (id) => special.has(id),
    drops: (text) => drops(wellFormed(text)),
  };
}

const utf8 = new TextEncoder();

/** The character that the decoder turns back into a space: `▁` for sentencepiece's descendants, none for others. */
function spaceMarkOf(decoder: Component | undefined): string | undefined {
  const mark = markSchema.safeParse(decoder?.fields);
  if (decoder?.type === "Metaspace") return mark.data?.replacement ?? "▁";
  if (decoder?.type === "Replace") return mark.data?.content === " " ? mark.data.pattern?.String : undefined;
  if (decoder?.type !== "Sequence") return undefined;
  const steps = (mark.data?.decoders ?? []).map((step) => spaceMarkOf(componentFrom(step, "decoder")));
  return steps.find((step) => step !== undefined);
}

const markSchema = z.looseObject({
  replacement: z.string().optional(),
  content: z.string().optional(),
  pattern: z.looseObject({ String: z.string().optional() }).optional(),
  decoders: z.array(z.unknown()).optional(),
});

/** Not `Math.max(...keys)`: a vocabulary has more ids than a call takes arguments. */
function largest(keys: Iterable<number>): number {
  let result = -1;
  for (const key of keys) if (key > result) result = key;
  return result;
}

/** Added tokens stand over the vocabulary's pieces, as in the Rust core. */
function piecesById(file: TokenizerFile): Map<number, string> {
  const pieces = new Map<number, string>();
  for (const [piece, id] of file.vocab) pieces.set(id, piece);
  for (const token of file.addedTokens) {
    const other = pieces.get(token.id);
    if (other !== undefined && other !== token.content) {
      refuse(`${JSON.stringify(other)} and the added token ${JSON.stringify(token.content)} share the id ${token.id}`);
    }
    pieces.set(token.id, token.content);
  }
  return pieces;
}

function specialIds(
  file: TokenizerFile,
  ids: ReadonlyMap<string, number>,
  declared: DeclaredTokens,
): ReadonlySet<number> {
  const special = new Set(file.addedTokens.filter((token) => token.special).map((token) => token.id));
  for (const content of declared.special) {
    const id = ids.get(content);
    if (id !== undefined) special.add(id);
  }
  return special;
}

interface TextEncoding {
  encodeText(text: string, options: EncodeOptions): number[];
  drops(text: string): boolean;
}

/** Text to ids, without what the post-processor adds. */
function textEncoder(file: TokenizerFile, special: ReadonlySet<number>): TextEncoding {
  const normalize = normalizerFrom(file.normalizer);
  const preTokenizer = preTokenizerFrom(file.preTokenizer);
  const raw = addedTokenSplitter(file.addedTokens.filter((token) => !token.normalized));
  const normalized = addedTokenSplitter(
    file.addedTokens.filter((token) => token.normalized),
    (token: AddedToken) => normalize(token.content, false),
  );
  const { ordinary, plain } = wordEncoders(file, preTokenizer.byteLevel, special);

  const encodeText = (text: string, { plainText = false, continued = false }: EncodeOptions): number[] => {
    const words = plainText ? plain : ordinary;
    const out: number[] = [];
    const encodeWords = (section: Section, place: { first: boolean; continued: boolean }): void => {
      if ("id" in section) out.push(section.id);
      else for (const word of preTokenizer.split(section.text, place)) words.encodeWord(word, out);
    };
    for (const outer of raw(text, plainText)) {
      if ("id" in outer) {
        out.push(outer.id);
        continue;
      }
      const first = outer.start === 0;
      const goesOn = continued && first;
      for (const inner of normalized(normalize(outer.text, goesOn), plainText)) {
        const innerFirst = "id" in inner || inner.start === 0;
        encodeWords(inner, { first: first && innerFirst, continued: goesOn && innerFirst });
      }
    }
    return out;
  };
  return { encodeText, drops: (text) => ordinary.drops(normalize(text, false)) };
}

/** `ordinary` as the Rust core encodes; `plain` never gives a special id but the unknown one. */
function wordEncoders(file: TokenizerFile, byteLevel: boolean, special: ReadonlySet<number>) {
  const { model, vocab } = file;
  const unkId = model.unkToken === undefined ? undefined : vocab.get(model.unkToken);
  if (model.unkToken !== undefined && unkId === undefined) {
    refuse(`the unknown token ${JSON.stringify(model.unkToken)} is not in the vocabulary`);
  }
  if (model.kind === "wordpiece") {
    const make = (forbidden: ReadonlySet<number>): WordEncoder =>
      createWordPiece({ ...model, vocab, unkId: present(unkId, "unknown token"), forbidden });
    return { ordinary: make(new Set()), plain: make(special) };
  }
  const make = (forbidden: ReadonlySet<number>): WordEncoder =>
    createBpe({ ...model, vocab, unkId, byteLevel, forbidden });
  const ordinary = make(new Set());
  // Where no merge and no whole word leads to a special id, plain text cannot become one: one model serves both.
  const reachable = model.ignoreMerges || model.merges.some((merge) => special.has(merge.product));
  return { ordinary, plain: reachable ? make(special) : ordinary };
}
