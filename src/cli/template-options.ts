/**
 * The options of a template as the command line has them, one by one, and as steps take them, as one object.
 * May not know: tokenizers.
 */
import { type Template, templateFrom, templates } from "../options/template.js";

/** Every template, for help texts. */
export const templateNames = (): string => Object.keys(templates).join(", ");

export interface TemplateFlags {
  readonly template?: string;
  readonly userTag?: string;
  readonly assistantTag?: string;
}

/**
 * The flags with the name of the template and its tags as the template that they mean.
 *
 * @throws UserError  no such template, an empty tag, or twice the same
 */
export function withTemplate<Flags extends TemplateFlags>(
  flags: Flags,
): Omit<Flags, "template" | "userTag" | "assistantTag"> & { readonly template: Template } {
  const { template: _, userTag: __, assistantTag: ___, ...rest } = flags;
  return { ...rest, template: templateFrom(flags) };
}
