/**
 * The flags that decide how a dialogue is written, for every command that makes prompts or rows.
 * May not know: tokenizers.
 */
import { type Command, Option } from "commander";
import { type Template, templateFrom, templates } from "../text/template.js";

export interface TemplateFlags {
  readonly template: string;
  readonly userTag?: string;
  readonly assistantTag?: string;
  readonly bos: "auto" | "always" | "never";
}

export function addTemplateOptions(command: Command): Command {
  return command
    .addOption(
      new Option("--template <name>", `format of a dialogue: ${Object.keys(templates).join(", ")}`).default("tulu"),
    )
    .addOption(new Option("--user-tag <text>", "tag before an instruction (default: the template's, <|user|>)"))
    .addOption(new Option("--assistant-tag <text>", "tag before a response (default: the template's, <|assistant|>)"))
    .addOption(
      new Option("--bos <when>", "auto: the BOS that the tokenizer itself adds; always: also one that a config names")
        .choices(["auto", "always", "never"])
        .default("auto"),
    );
}

/**
 * The flags with the name of the template and its tags as the template that they mean.
 *
 * @throws UserError  no such template, an empty tag, or twice the same
 */
export function withTemplate<Flags extends TemplateFlags>(
  flags: Flags,
): Omit<Flags, "template" | "userTag" | "assistantTag"> & { readonly template: Template } {
  const { template, userTag, assistantTag, ...rest } = flags;
  return { ...rest, template: templateFrom(flags) };
}
