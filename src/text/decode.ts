/**
 * The decoders of language models: pieces back to text.
 * May not know: encoding, templates.
 * Source: huggingface/tokenizers, `decoders/`.
 */
import { z } from "zod";
import { BYTE_CHARACTERS } from "./bpe.js";
import { compilePattern } from "./library.js";
import { patternSchema } from "./normalize.js";
import { type Component, componentFrom, parsed, refuse } from "./tokenizer-json.js";

/** One step of decoding: pieces in, pieces out; the last step's pieces are joined. */
export type Decoder = (pieces: readonly string[]) => readonly string[];

export function decoderFrom(component: Component | undefined): Decoder {
  if (component === undefined) return (pieces) => [pieces.join(" ")];
  const where = `decoder ${component.type}`;
  switch (component.type) {
    case "ByteLevel":
      return byteLevel;
    case "ByteFallback":
      return byteFallback;
    case "Fuse":
      return (pieces) => [pieces.join("")];
    case "Replace": {
      const { pattern, content } = parsed(
        z.looseObject({ pattern: patternSchema, content: z.string() }),
        component.fields,
        where,
      );
      const compiled = compilePattern(pattern);
      return (pieces) => pieces.map((piece) => piece.replaceAll(compiled, () => content));
    }
    case "Strip": {
      const schema = z.looseObject({ content: z.string(), start: z.number(), stop: z.number() });
      const { content, start, stop } = parsed(schema, component.fields, where);
      return (pieces) => pieces.map((piece) => strip(piece, content, start, stop));
    }
    case "WordPiece":
      return wordPiece(component, where);
    case "Metaspace":
      return metaspace(component, where);
    case "Sequence": {
      const { decoders } = parsed(z.looseObject({ decoders: z.array(z.unknown()) }), component.fields, where);
      const steps = decoders.map((step) => decoderFrom(componentFrom(step, where)));
      return (pieces) => steps.reduce((current, step) => step(current), pieces);
    }
    default:
      return refuse(`the decoder ${component.type} is not supported`);
  }
}

const utf8 = new TextEncoder();
const lossy = new TextDecoder("utf-8", { ignoreBOM: true }); // a byte order mark in the middle of a text is text
const strict = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
const byteOf = new Map(BYTE_CHARACTERS.map((character, byte) => [character, byte]));

/** The bytes that a byte-level piece stands for; pieces outside the alphabet (added tokens) stand for themselves. */
export function byteLevelBytes(piece: string): Uint8Array {
  const bytes = new Uint8Array(piece.length);
  for (let i = 0; i < piece.length; i++) {
    const byte = byteOf.get(piece.charAt(i));
    if (byte === undefined) return utf8.encode(piece);
    bytes[i] = byte;
  }
  return bytes;
}

function byteLevel(pieces: readonly string[]): readonly string[] {
  return [lossy.decode(Buffer.concat(pieces.map(byteLevelBytes)))];
}

/** 10 for `<0x0A>`; undefined for any other piece. */
export function byteOfPiece(piece: string): number | undefined {
  const hex = /^<0x([0-9A-Fa-f]{2})>$/.exec(piece)?.[1];
  return hex === undefined ? undefined : Number.parseInt(hex, 16);
}

/** Runs of byte pieces become text where they are valid UTF-8, else one U+FFFD a byte. */
function byteFallback(pieces: readonly string[]): readonly string[] {
  const result: string[] = [];
  let run: number[] = [];
  const flush = (): void => {
    if (run.length > 0) result.push(textOfRun(run));
    run = [];
  };
  for (const piece of pieces) {
    const byte = byteOfPiece(piece);
    if (byte !== undefined) {
      run.push(byte);
      continue;
    }
    flush();
    result.push(piece);
  }
  flush();
  return result;
}

function textOfRun(bytes: readonly number[]): string {
  try {
    return strict.decode(Uint8Array.from(bytes));
  } catch {
    return "\uFFFD".repeat(bytes.length); // not UTF-8: what the Rust core writes, and no error of anyone
  }
}

function strip(piece: string, content: string, start: number, stop: number): string {
  let from = 0;
  let to = piece.length;
  for (let i = 0; i < start && from < to && piece.startsWith(content, from); i++) from += content.length;
  for (let i = 0; i < stop && to > from && piece.slice(from, to).endsWith(content); i++) to -= content.length;
  return piece.slice(from, to);
}

function metaspace(component: Component, where: string): Decoder {
  const schema = z.looseObject({
    replacement: z.string().default("▁"),
    prepend_scheme: z.enum(["always", "first", "never"]).optional(),
    add_prefix_space: z.boolean().optional(),
  });
  const { replacement, prepend_scheme: scheme, add_prefix_space: legacy } = parsed(schema, component.fields, where);
  const prepends = (scheme ?? (legacy === false ? "never" : "always")) !== "never";
  return (pieces) => pieces.map((piece, i) => piece.replaceAll(replacement, () => (i === 0 && prepends ? "" : " ")));
}

function wordPiece(component: Component, where: string): Decoder {
  const schema = z.looseObject({ prefix: z.string().default("##"), cleanup: z.boolean().default(true) });
  const { prefix, cleanup } = parsed(schema, component.fields, where);
  return (pieces) =>
    pieces.map((piece, i) => {
      const continues = i > 0 && piece.startsWith(prefix);
      const spaced = i === 0 ? piece : continues ? piece.slice(prefix.length) : ` ${piece}`;
      return cleanup ? cleanUp(spaced) : spaced;
    });
}

/** Spaces in front of English punctuation, piece by piece and in this order, as the Rust core takes them away. */
function cleanUp(piece: string): string {
  return UNTIDY.reduce((text, [from, to]) => text.replaceAll(from, to), piece);
}

const UNTIDY = [
  [" .", "."],
  [" ?", "?"],
  [" !", "!"],
  [" ,", ","],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [" do not", " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
] as const;
