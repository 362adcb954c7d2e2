/**
 * The normalizers of language models: what happens to a text before it is split.
 * May not know: vocabularies, templates.
 * Source: huggingface/tokenizers, `normalizers/`.
 */
import { z } from "zod";
import { bertNormalizer } from "./bert/text.js";
import { compilePattern } from "./library.js";
import { normalizeAsRust } from "./normal-forms.js";
import { type Component, componentFrom, parsed, refuse } from "./tokenizer-json.js";

/** `continued`: the text continues where other text ended, so nothing is put in front of it. */
export type Normalizer = (text: string, continued: boolean) => string;

export const patternSchema = z.union([z.object({ String: z.string() }), z.object({ Regex: z.string() })]);

export function normalizerFrom(component: Component | undefined): Normalizer {
  if (component === undefined) return (text) => text;
  const where = `normalizer ${component.type}`;
  switch (component.type) {
    case "NFC":
    case "NFD":
    case "NFKC":
    case "NFKD": {
      const form = component.type;
      return (text) => normalizeAsRust(text, form);
    }
    case "Prepend": {
      const { prepend } = parsed(z.looseObject({ prepend: z.string() }), component.fields, where);
      return (text, continued) => (text === "" || continued ? text : prepend + text);
    }
    case "Replace": {
      const { pattern, content } = parsed(
        z.looseObject({ pattern: patternSchema, content: z.string() }),
        component.fields,
        where,
      );
      if ("String" in pattern && pattern.String !== "") {
        const { String: from } = pattern;
        return (text) => text.replaceAll(from, () => content); // a function: `$&` in the content is not a command
      }
      const compiled = compilePattern(pattern);
      return (text) => text.replaceAll(compiled, () => content);
    }
    case "Sequence": {
      const { normalizers } = parsed(z.looseObject({ normalizers: z.array(z.unknown()) }), component.fields, where);
      const steps = normalizers.map((step) => normalizerFrom(componentFrom(step, where)));
      return (text, continued) => steps.reduce((current, step) => step(current, continued), text);
    }
    case "BertNormalizer":
      return bertNormalizer(component, where);
    default:
      return refuse(`the normalizer ${component.type} is not supported`);
  }
}
