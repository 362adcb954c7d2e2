import { Command } from "commander";
import { describe, expect, it } from "vitest";
import { generateOptions } from "../options/generate.js";
import { rowOptions } from "../options/render.js";
import { templateOptions } from "../options/template.js";
import { pick } from "../util/options.js";
import { defaultLimits, limitOf, specHelp } from "./data-options.js";
import { addOptions } from "./flags.js";
import { type TemplateFlags, templateNames, withTemplate } from "./template-options.js";

/** The flags that `args` give. */
const parse = <Flags extends object>(table: Parameters<typeof addOptions>[1], args: readonly string[]): Flags =>
  addOptions(new Command(), table, { limits: defaultLimits(), templates: templateNames() })
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .parse(args, { from: "user" })
    .opts<Flags>();

describe("the flags of a template", () => {
  const flags = (...args: string[]) => parse<TemplateFlags>(templateOptions, args);

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
    [["--template", "chatml"], `unknown template "chatml"; use tulu`],
    [["--user-tag", ""], "userTag is empty; give it at least one character"],
  ])("%j: refused in one line", (args, line) => {
    expect(() => withTemplate(flags(...args))).toThrow(expect.objectContaining({ line }));
  });
});

describe("the flags of a prompt", () => {
  it("gather rules to leave out", () => {
    const table = pick(generateOptions, "rules", "disableRules", "raw");
    const args = ["--rules", "paper", "--disable-rule", "eos", "--disable-rule", "uniform"];
    expect(parse(table, args)).toEqual({ rules: "paper", disableRules: ["eos", "uniform"], raw: false });
    expect(parse(table, [])).not.toHaveProperty("rules");
  });
});

describe("the flags of data", () => {
  const table = pick(rowOptions, "limit");
  const limit = (...args: string[]) => limitOf(parse(table, args));

  it("take a number or all", () => {
    expect([limit(), limit("--limit", "3"), limit("--limit", "all")]).toEqual([{}, { limit: 3 }, { limit: "all" }]);
    expect(() => limit("--limit", "0")).toThrow("Give a whole number of 1 or more, or all.");
    expect(() => limit("--limit", "some")).toThrow("Give a whole number of 1 or more, or all.");
  });

  it("say what the table of data sets says", () => {
    const command = addOptions(new Command(), table, { limits: defaultLimits() });
    expect(command.options[0]?.description).toContain("1,000 of gsm8k, recipes and chess, else all");
    expect(specHelp).toContain("Names: lima, mbpp, gsm8k, recipes, poetry, chess, alpaca, validation.");
  });
});
