/**
 * `tacit rules`: the adapter's rule files, and what one becomes in a model's vocabulary.
 * May not know: weights, engines.
 */

import type { Command } from "commander";
import { onlyJson } from "../../options/files.js";
import { explainOptions } from "../../options/generate.js";
import type { FlagsOf } from "../../util/options.js";
import { printable, quoted } from "../../util/terminal.js";
import { addOptions } from "../flags.js";
import { type Io, runAction } from "../run-action.js";

const rulesHelp = `
RULES is paper (as the paper states them), reference (as the authors' code applies them) or the path of a YAML file.
Strings name tokens by the text they stand for, not by how a vocabulary writes them: " I" is the token for a space and I.`;

export function registerRules(program: Command): void {
  const rules = program
    .command("rules")
    .description("Lists and shows the adapter's rules, and explains what they become in a model's vocabulary.")
    .addHelpText("after", `${rulesHelp}\n\nExample:\n  tacit rules explain --model models/gemma-3-270m --rules paper`);
  registerList(rules);
  registerShow(rules);
  registerExplain(rules);
}

function registerList(rules: Command): void {
  const command = rules
    .command("list")
    .description("Lists the rule files that come with the package and what each rule does.");
  addOptions(command, onlyJson)
    .addHelpText("after", "\nExample:\n  tacit rules list")
    .action((options: { json: boolean }) =>
      runAction(options, async (io) => {
        const { loadRules, shippedRules } = await import("../../rules/file.js");
        const { describeRules } = await import("../rules/describe.js");
        const { fileSummary } = await import("../../steps/explain-rules.js");
        const loaded = await Promise.all(shippedRules.map((name) => loadRules(name)));
        for (const one of loaded) io.out(`${one.rules.name}\n${describeRules(one)}`);
        return { rules: loaded.map(fileSummary) };
      }),
    );
}

function registerShow(rules: Command): void {
  const command = rules
    .command("show")
    .argument("<rules>", explainOptions.rules.help)
    .description("Checks a rule file and prints it. A shipped one is a good start for a file of your own.");
  addOptions(command, onlyJson)
    .addHelpText("after", "\nExample:\n  tacit rules show paper > my-rules.yaml")
    .action((spec: string, options: { json: boolean }) =>
      runAction(options, async (io) => {
        const { loadRules } = await import("../../rules/file.js");
        const { fileSummary } = await import("../../steps/explain-rules.js");
        const loaded = await loadRules(spec);
        io.out(printable(loaded.text));
        return fileSummary(loaded);
      }),
    );
}

type ExplainFlags = FlagsOf<typeof explainOptions>;

function registerExplain(rules: Command): void {
  const command = rules
    .command("explain")
    .description("Shows which token of a model's vocabulary each string of a rule file names, and with what score.");
  addOptions(command, explainOptions)
    .addHelpText(
      "after",
      `${rulesHelp}
A string that is not one token is listed and ignored. Where several ordinary tokens stand for the same text, the one that
encoding gives is scored and the others are named. Only the tokenizer is read, not the weights.

Example:
  tacit rules explain --model models/gemma-3-270m --rules paper --disable-rule eos`,
    )
    .action((options: ExplainFlags) => runAction(options, (io) => explain(options, io)));
}

async function explain({ model, rules, disableRules }: ExplainFlags, io: Io): Promise<object> {
  const { explanationOf, resolveIn } = await import("../../steps/explain-rules.js");
  const { describeResolved } = await import("../rules/describe.js");
  const resolved = await resolveIn({ model, rules, disableRules });
  const explained = explanationOf(model, resolved);
  const { id, piece } = explained.eos;
  io.out(`Rules ${quoted(explained.name)} in the vocabulary of ${quoted(model)}\n`);
  for (const entry of resolved.resolution.report) io.out(describeResolved(entry, `${quoted(piece)} (id ${id})`));
  for (const string of explained.unresolved)
    io.note(`tacit: ${quoted(JSON.stringify(string))} is not one token here and is ignored`);
  return explained;
}
