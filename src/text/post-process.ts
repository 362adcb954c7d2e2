/**
 * What a tokenizer's post-processor puts around the ids of one text.
 * May not know: encoding, templates.
 * Source: huggingface/tokenizers, `processors/`.
 */
import { z } from "zod";
import { type Component, componentFrom, parsed, refuse } from "./tokenizer-json.js";

export interface Surroundings {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

const nothing: Surroundings = { before: [], after: [] };
const named = z.tuple([z.string(), z.number().int().nonnegative()]);
const templateSchema = z.looseObject({
  single: z.array(z.record(z.string(), z.looseObject({ id: z.string() }))),
  special_tokens: z.record(z.string(), z.looseObject({ ids: z.array(z.number().int().nonnegative()) })),
});

export function surroundingsFrom(component: Component | undefined): Surroundings {
  if (component === undefined) return nothing;
  const where = `post-processor ${component.type}`;
  switch (component.type) {
    case "ByteLevel":
      return nothing; // moves offsets, not ids
    case "TemplateProcessing":
      return fromTemplate(component, where);
    case "BertProcessing":
    case "RobertaProcessing": {
      const { cls, sep } = parsed(z.looseObject({ cls: named, sep: named }), component.fields, where);
      return { before: [cls[1]], after: [sep[1]] };
    }
    case "Sequence": {
      const { processors } = parsed(z.looseObject({ processors: z.array(z.unknown()) }), component.fields, where);
      return processors
        .map((step) => surroundingsFrom(componentFrom(step, where)))
        .reduce(
          (inner, outer) => ({
            before: [...outer.before, ...inner.before],
            after: [...inner.after, ...outer.after],
          }),
          nothing,
        );
    }
    default:
      return refuse(`the post-processor ${component.type} is not supported`);
  }
}

function fromTemplate(component: Component, where: string): Surroundings {
  const { single, special_tokens: tokens } = parsed(templateSchema, component.fields, where);
  const before: number[] = [];
  const after: number[] = [];
  let seen = false;
  for (const item of single) {
    if (item.Sequence !== undefined) {
      if (seen || item.Sequence.id !== "A") refuse(`${where}: a single text must appear once in its template`);
      seen = true;
    } else {
      const name = item.SpecialToken?.id ?? "";
      const ids = Object.hasOwn(tokens, name) ? tokens[name]?.ids : undefined;
      if (ids === undefined) return refuse(`${where}: the special token ${JSON.stringify(name)} has no ids`);
      (seen ? after : before).push(...ids);
    }
  }
  if (!seen) refuse(`${where}: the template leaves the text out`);
  return { before, after };
}
