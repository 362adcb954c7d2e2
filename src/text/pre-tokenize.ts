/**
 * The pre-tokenizers of language models: cut normalized text into the words that merges never cross.
 * May not know: vocabularies, merges, templates.
 * Source: huggingface/tokenizers, `pre_tokenizers/`.
 */
import { z } from "zod";
import { bertSplit } from "./bert/text.js";
import { compilePattern } from "./library.js";
import { patternSchema } from "./normalize.js";
import { type Component, componentFrom, parsed, refuse } from "./tokenizer-json.js";

export interface PreTokenizer {
  /** Words are to be taken byte by byte, in GPT-2's byte alphabet. */
  readonly byteLevel: boolean;
  /** `first`: the text stands at the very beginning; `continued`: it continues where other text ended. */
  split(text: string, place: { first: boolean; continued: boolean }): string[];
}

type Split = PreTokenizer["split"];

/** GPT-2's pattern with Unicode's white space: JavaScript's `\s` has U+FEFF and lacks U+0085. */
const GPT2 =
  /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

export function preTokenizerFrom(component: Component | undefined): PreTokenizer {
  if (component === undefined) return { byteLevel: false, split: (text) => [text] };
  const where = `pre-tokenizer ${component.type}`;
  switch (component.type) {
    case "ByteLevel":
      return { byteLevel: true, split: byteLevelSplit(component, where) };
    case "Split":
      return { byteLevel: false, split: patternSplit(component, where) };
    case "Digits":
      return { byteLevel: false, split: digitSplit(component, where) };
    case "Metaspace":
      return { byteLevel: false, split: metaspaceSplit(component, where) };
    case "BertPreTokenizer":
      return { byteLevel: false, split: bertSplit };
    case "Sequence":
      return sequence(component, where);
    default:
      return refuse(`the pre-tokenizer ${component.type} is not supported`);
  }
}

function sequence(component: Component, where: string): PreTokenizer {
  const { pretokenizers } = parsed(z.looseObject({ pretokenizers: z.array(z.unknown()) }), component.fields, where);
  const steps = pretokenizers.map((step) => preTokenizerFrom(componentFrom(step, where)));
  if (steps.slice(0, -1).some((step) => step.byteLevel)) {
    refuse("a pre-tokenizer after ByteLevel is not supported"); // it would see byte characters, not text
  }
  return {
    byteLevel: steps.at(-1)?.byteLevel ?? false,
    split: (text, place) =>
      steps.reduce(
        (words, step) =>
          words.flatMap((word, i) =>
            step.split(word, { first: place.first && i === 0, continued: place.continued && i === 0 }),
          ),
        [text],
      ),
  };
}

function byteLevelSplit(component: Component, where: string): Split {
  const schema = z.looseObject({ add_prefix_space: z.boolean().default(true), use_regex: z.boolean().default(true) });
  const { add_prefix_space: prefix, use_regex: useRegex } = parsed(schema, component.fields, where);
  return (text, { continued }) => {
    const whole = prefix && !continued && text !== "" && !text.startsWith(" ") ? ` ${text}` : text;
    return useRegex ? (whole.match(GPT2) ?? []) : [whole];
  };
}

const behaviors = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"] as const;
type Behavior = (typeof behaviors)[number];

function patternSplit(component: Component, where: string): Split {
  const schema = z.looseObject({
    pattern: patternSchema,
    behavior: z.enum(behaviors),
    invert: z.boolean().default(false),
  });
  const { pattern, behavior, invert } = parsed(schema, component.fields, where);
  const expression = compilePattern(pattern);
  return (text) => arrange(piecesOf(text, expression, invert), behavior);
}

/** Rust's `char::is_numeric`: Nd, Nl and No; JavaScript's `\d` is ASCII only. */
const digits = /\p{N}/gu;

function digitSplit(component: Component, where: string): Split {
  const schema = z.looseObject({ individual_digits: z.boolean().default(false) });
  const { individual_digits: individual } = parsed(schema, component.fields, where);
  return (text) => arrange(piecesOf(text, digits, false), individual ? "Isolated" : "Contiguous");
}

function metaspaceSplit(component: Component, where: string): Split {
  const schema = z.looseObject({
    replacement: z.string().default("▁"),
    prepend_scheme: z.enum(["always", "first", "never"]).optional(),
    add_prefix_space: z.boolean().optional(), // files from before 2024
    split: z.boolean().default(true),
  });
  const { replacement, add_prefix_space: legacy, split, ...rest } = parsed(schema, component.fields, where);
  const scheme = rest.prepend_scheme ?? (legacy === false ? "never" : "always");
  const mark = compilePattern({ String: replacement });
  return (text, { first, continued }) => {
    const replaced = text.replaceAll(" ", replacement);
    const wanted = !continued && (scheme === "always" || (scheme === "first" && first));
    const whole = wanted && !replaced.startsWith(replacement) ? replacement + replaced : replaced;
    return split ? arrange(piecesOf(whole, mark, false), "MergedWithNext") : [whole];
  };
}

interface Piece {
  readonly text: string;
  readonly match: boolean;
}

/** The matches and what lies between them, in order. */
function piecesOf(text: string, pattern: RegExp, invert: boolean): Piece[] {
  const pieces: Piece[] = [];
  let done = 0;
  for (const { 0: found, index } of text.matchAll(pattern)) {
    if (done < index) pieces.push({ text: text.slice(done, index), match: invert });
    pieces.push({ text: found, match: !invert });
    done = index + found.length;
  }
  if (done < text.length) pieces.push({ text: text.slice(done), match: invert });
  return pieces;
}

/** What becomes of the matches. */
function arrange(pieces: readonly Piece[], behavior: Behavior): string[] {
  switch (behavior) {
    case "Isolated":
      return nonEmpty(pieces.map((piece) => piece.text));
    case "Removed":
      return nonEmpty(pieces.filter((piece) => !piece.match).map((piece) => piece.text));
    case "Contiguous":
      return joined(pieces, (piece, before) => piece.match === before);
    case "MergedWithPrevious":
      return joined(pieces, (piece, before) => piece.match && !before);
    case "MergedWithNext": {
      const mirrored = joined([...pieces].reverse(), (piece, after) => piece.match && !after, true);
      return mirrored.reverse();
    }
    default:
      return behavior satisfies never;
  }
}

/** Appends a piece to the word before it where `joins` says so, else begins a new one. */
function joined(pieces: readonly Piece[], joins: (piece: Piece, before: boolean) => boolean, mirrored = false) {
  const words: string[] = [];
  let before = false;
  for (const piece of pieces) {
    const last = words.length - 1;
    if (last >= 0 && joins(piece, before)) {
      words[last] = mirrored ? piece.text + (words[last] ?? "") : (words[last] ?? "") + piece.text;
    } else {
      words.push(piece.text);
    }
    before = piece.match;
  }
  return nonEmpty(words);
}

const nonEmpty = (words: readonly string[]): string[] => words.filter((word) => word !== "");
