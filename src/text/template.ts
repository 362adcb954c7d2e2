/**
 * The paper's (Tulu's) dialogue format: `{BOS}<|user|>\n{instruction}\n<|assistant|>\n{response}{EOS}`. The tags are
 * ordinary text; BOS and EOS are ids and never text.
 * May not know: tokenizers, ids, files.
 * @see paper, section 3 and appendix B (the tags `<|A|>` and `<|B|>`)
 */
import type { Template } from "../options/template.js";
import { UserError } from "../util/errors.js";
import { excerpt } from "../util/terminal.js";
import { option, words } from "../util/words.js";

export type { Template } from "../options/template.js";

/** All templates by name; a new one is a line here. */
export const templates: Readonly<Record<string, Template>> = {
  tulu: { name: "tulu", userTag: "<|user|>", assistantTag: "<|assistant|>" },
};

/** The template of that name, with tags replaced where a person asks for it. */
export function templateFrom(options: { template?: string; userTag?: string; assistantTag?: string } = {}): Template {
  const name = options.template ?? "tulu";
  const base = Object.hasOwn(templates, name) ? templates[name] : undefined;
  if (base === undefined) {
    throw new UserError(`unknown template "${excerpt(name, 60)}"`, {
      remedy: `use ${Object.keys(templates).join(", ")}`,
    });
  }
  const userTag = options.userTag ?? base.userTag;
  const assistantTag = options.assistantTag ?? base.assistantTag;
  for (const [name, tag] of Object.entries({ userTag, assistantTag })) {
    if (tag === "") throw new UserError(words`${option(name)} is empty`, { remedy: "give it at least one character" });
  }
  if (userTag === assistantTag) {
    throw new UserError(`the user's and the assistant's tag are both ${JSON.stringify(userTag)}`, {
      remedy: words`pass two different ones to ${option("userTag")} and ${option("assistantTag")}`,
    });
  }
  return { name, userTag, assistantTag };
}

/** The text before a response. A later turn begins on a new line after the EOS of the one before it. */
export function promptText(template: Template, instruction: string, turn: "first" | "later"): string {
  return `${turn === "first" ? "" : "\n"}${openingText(template)}${instruction}\n${template.assistantTag}\n`;
}

/** What stands between BOS and the first instruction. */
export const openingText = (template: Template): string => `${template.userTag}\n`;

/** The whole format on one line, for records and messages. */
export function templateText(template: Template): string {
  return `{BOS}${promptText(template, "{instruction}", "first")}{response}{EOS}`;
}
