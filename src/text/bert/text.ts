/**
 * BERT's normalizer and pre-tokenizer: what happens to a text before its words are cut into WordPieces.
 * May not know: vocabularies, templates.
 * Source: huggingface/tokenizers, `normalizers/bert.rs` and `pre_tokenizers/bert.rs`.
 */
import { z } from "zod";
import { normalizeAsRust } from "../normal-forms.js";
import { type Component, parsed } from "../tokenizer-json.js";
import { isWhiteSpace } from "../unicode.js";
import { isIdeograph, isMark, isPunctuation, isRemoved } from "./characters.js";

const schema = z.looseObject({
  clean_text: z.boolean().default(true),
  handle_chinese_chars: z.boolean().default(true),
  /** Null: as `lowercase` says. */
  strip_accents: z.boolean().nullish(),
  lowercase: z.boolean().default(true),
});

export function bertNormalizer(component: Component, where: string): (text: string) => string {
  const {
    clean_text: cleans,
    handle_chinese_chars: spaces,
    strip_accents,
    lowercase,
  } = parsed(schema, component.fields, where);
  const strips = strip_accents ?? lowercase;
  return (text) => {
    if (cleans && lowercase && PLAIN.test(text)) return text.replace(ASCII_SPACE, " ").toLowerCase(); // what most texts are
    let result = cleans ? mapCharacters(text, clean) : text;
    if (spaces) result = mapCharacters(result, (character) => (isIdeograph(character) ? ` ${character} ` : character));
    if (strips)
      result = mapCharacters(normalizeAsRust(result, "NFD"), (character) => (isMark(character) ? "" : character));
    return lowercase ? mapCharacters(result, (character) => character.toLowerCase()) : result; // one by one: no final sigma
  };
}

/** Printable ASCII and line breaks: nothing to remove, no ideograph, no mark. */
const PLAIN = /^[\t\n\r -~]*$/;
const ASCII_SPACE = /[\t\n\r]/g;

function clean(character: string): string {
  if (isRemoved(character)) return "";
  return character.length === 1 && isWhiteSpace(character.charCodeAt(0)) ? " " : character;
}

function mapCharacters(text: string, f: (character: string) => string): string {
  let result = "";
  for (const character of text) result += f(character);
  return result;
}

/** Words between white space; every punctuation mark is a word of its own. */
export function bertSplit(text: string): string[] {
  const words: string[] = [];
  let word = "";
  const end = (): void => {
    if (word !== "") words.push(word);
    word = "";
  };
  for (const character of text) {
    const unit = character.charCodeAt(0);
    const space = character.length === 1 && isWhiteSpace(unit);
    if (!space && !isPunctuation(character)) {
      word += character;
      continue;
    }
    end();
    if (!space) words.push(character);
  }
  end();
  return words;
}
