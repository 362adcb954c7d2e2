/**
 * The flags that say which rules hold, and those that decide how a prompt is made: what `generate`, `chat` and `rules` share.
 * May not know: engines.
 */
import { type Command, Option } from "commander";
import { addTemplateOptions, type TemplateFlags, withTemplate } from "./template-options.js";

export interface PromptFlags extends TemplateFlags {
  readonly rules?: string;
  readonly disableRule: readonly string[];
  readonly preset: "paper" | "reference";
  readonly raw: boolean;
}

export const rulesOption = (remark = ""): Option =>
  new Option("--rules <rules>", `paper, reference, or the path of a rule file${remark}`);

export const disableRuleOption = (): Option =>
  new Option("--disable-rule <name>", "leave this rule out; may be given several times")
    .default([], "none")
    .argParser((name: string, before: readonly string[]) => [...before, name]);

export function addPromptOptions(command: Command): Command {
  command
    .addOption(rulesOption(" (default: no rules)"))
    .addOption(disableRuleOption())
    .addOption(
      new Option("--preset <name>", "reference: instructions are not trimmed")
        .choices(["paper", "reference"])
        .default("paper"),
    );
  return addTemplateOptions(command).addOption(
    new Option("--raw", "give instructions to the model as they are, without a template").default(false, "off"),
  );
}

/** The flags as a plan takes them. */
export function withPrompt<Flags extends PromptFlags>(flags: Flags) {
  const { disableRule: disableRules, ...rest } = withTemplate(flags);
  return { ...rest, disableRules };
}
