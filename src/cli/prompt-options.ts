/**
 * The flags that decide how a prompt is made and which rules hold: those of `generate` and `chat`.
 * May not know: engines.
 */
import { type Command, Option } from "commander";
import type { PlanOptions } from "../steps/generate-plan.js";

export interface PromptFlags {
  readonly rules?: string;
  readonly disableRule: readonly string[];
  readonly preset: "paper" | "reference";
  readonly template: string;
  readonly userTag?: string;
  readonly assistantTag?: string;
  readonly bos: "auto" | "always" | "never";
  readonly raw: boolean;
}

export function addPromptOptions(command: Command): Command {
  return command
    .addOption(new Option("--rules <name>", "paper, reference, or a rule file (default: no rules)"))
    .addOption(
      new Option("--disable-rule <name>", "leave a rule out; may be repeated")
        .default([], "none")
        .argParser((name: string, before: readonly string[]) => [...before, name]),
    )
    .addOption(
      new Option("--preset <name>", "reference: instructions are not trimmed")
        .choices(["paper", "reference"])
        .default("paper"),
    )
    .addOption(new Option("--template <name>", "format of a prompt").default("tulu"))
    .addOption(new Option("--user-tag <text>", "in place of the template's"))
    .addOption(new Option("--assistant-tag <text>", "in place of the template's"))
    .addOption(
      new Option("--bos <when>", "auto: as the tokenizer does").choices(["auto", "always", "never"]).default("auto"),
    )
    .addOption(
      new Option("--raw", "give instructions to the model as they are, without a template").default(false, "off"),
    );
}

/** The flags as a plan takes them. */
export async function promptOptionsOf(flags: PromptFlags): Promise<Pick<PlanOptions, "template" | "disableRules">> {
  const { templateFrom } = await import("../text/template.js");
  const template = templateFrom({
    template: flags.template,
    ...(flags.userTag === undefined ? {} : { userTag: flags.userTag }),
    ...(flags.assistantTag === undefined ? {} : { assistantTag: flags.assistantTag }),
  });
  return { template, disableRules: flags.disableRule };
}
