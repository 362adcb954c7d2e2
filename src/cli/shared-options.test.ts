import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { dataLimitOption, limitOf, specHelp } from "./data-options.js";
import { addPromptOptions, type PromptFlags, withPrompt } from "./prompt-options.js";
import { addTemplateOptions, type TemplateFlags, withTemplate } from "./template-options.js";

/** The flags that `args` give. */
const parse = <Flags extends object>(command: Command, args: readonly string[]): Flags =>
  command
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .parse(args, { from: "user" })
    .opts<Flags>();

describe("the flags of a template", () => {
  const flags = (...args: string[]) => parse<TemplateFlags>(addTemplateOptions(new Command()), args);

  it("are Tulu's where none are given", () => {
    expect(withTemplate(flags())).toEqual({
      bos: "auto",
      template: { name: "tulu", userTag: "<|user|>", assistantTag: "<|assistant|>" },
    });
  });

  it("replace tags and leave the others of a command alone", () => {
    const given = { ...flags("--user-tag", "<|A|>", "--assistant-tag", "<|B|>", "--bos", "never"), seed: 3 };
    expect(withTemplate(given)).toEqual({
      bos: "never",
      seed: 3,
      template: { name: "tulu", userTag: "<|A|>", assistantTag: "<|B|>" },
    });
  });

  it.each([
    [["--template", "chatml"], `there is no template "chatml"; use tulu`],
    [["--user-tag", ""], "--user-tag is empty; give it at least one character"],
  ])("%j: refused in one line", (args, line) => {
    expect(() => withTemplate(flags(...args))).toThrow(expect.objectContaining({ line }));
  });
});

describe("the flags of a prompt", () => {
  it("gather rules to leave out", () => {
    const given = parse<PromptFlags>(addPromptOptions(new Command()), [
      ...["--rules", "paper", "--disable-rule", "eos", "--disable-rule", "uniform"],
    ]);
    expect(withPrompt(given)).toMatchObject({ rules: "paper", disableRules: ["eos", "uniform"], raw: false });
    expect(withPrompt(parse<PromptFlags>(addPromptOptions(new Command()), []))).not.toHaveProperty("rules");
  });
});

describe("the flags of data", () => {
  const limit = (...args: string[]) => limitOf(parse(new Command().addOption(dataLimitOption()), args));

  it("take a number or all", () => {
    expect([limit(), limit("--limit", "3"), limit("--limit", "all")]).toEqual([{}, { limit: 3 }, { limit: "all" }]);
    expect(() => limit("--limit", "0")).toThrow("Give a whole number of 1 or more.");
    expect(() => limit("--limit", "some")).toThrow("Give a whole number of 1 or more, or all.");
  });

  it("say what the table of data sets says", () => {
    expect(dataLimitOption().description).toContain("1,000 of gsm8k, recipes and chess, else all");
    expect(specHelp).toContain("Names: lima, mbpp, gsm8k, recipes, poetry, chess, alpaca, validation.");
  });
});
