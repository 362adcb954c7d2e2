/**
 * The templates of dialogues, and the options that decide how one is written.
 * May not know: tokenizers.
 */
import { UserError } from "../util/errors.js";
import { needed, oneOf, shaped, text } from "../util/option-kinds.js";
import { type Defaulted, defineOptions, type Entries, withDefaults } from "../util/options.js";
import { excerpt } from "../util/terminal.js";
import { option, words } from "../util/words.js";

export interface Template {
  readonly name: string;
  readonly userTag: string;
  readonly assistantTag: string;
}

/**
 * All templates by name; a new one is a line here.
 *
 * @see paper, section 3 and appendix B (the tags `<|A|>` and `<|B|>`)
 */
export const templates: Readonly<Record<string, Template>> = {
  tulu: { name: "tulu", userTag: "<|user|>", assistantTag: "<|assistant|>" },
};

/** The template of that name, with tags replaced where a person asks for it. */
export function templateFrom(
  options: { [Name in "template" | "userTag" | "assistantTag"]?: string | undefined } = {},
): Template {
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

/** Options of which nothing is left open. */
export type Settled<Table, Given> = Given & Defaulted<Table> & { readonly template: Template };

/** The options with every default of the table filled in, and that of the template. */
export const settled = <Table extends Entries, Given extends { readonly template?: Template }>(
  table: Table,
  given: Given,
): Settled<Table, Given> => ({ ...withDefaults(table, given), template: given.template ?? templateFrom() });

const template = shaped<Template>(
  { name: needed(text), userTag: needed(text), assistantTag: needed(text) },
  "a template, as templateFrom gives it",
);

/** Text names a template and its tags one by one; scripts have the three as one object. */
export const templateOptions = defineOptions({
  template: {
    type: { ...template, form: { form: "text", empty: false } },
    takes: "name",
    help: "format of a dialogue: {templates}",
    unless: '"tulu"',
  },
  userTag: {
    type: text,
    takes: "text",
    help: "tag before an instruction",
    unless: "the template's, <|user|>",
    only: "command",
  },
  assistantTag: {
    type: text,
    takes: "text",
    help: "tag before a response",
    unless: "the template's, <|assistant|>",
    only: "command",
  },
  bos: {
    type: oneOf("auto", "always", "never"),
    takes: "when",
    help: "auto: the BOS that the tokenizer itself adds; always: also one that a config names",
    default: "auto",
  },
});
