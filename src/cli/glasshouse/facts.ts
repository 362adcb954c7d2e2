/** `tacit glasshouse facts`: what a model knows of the world, whether or not it says it. */
import type { Command } from "commander";
import type { FactsSummary } from "../../glasshouse/model/ask-facts.js";
import { glasshouseOptions } from "../../options/files.js";
import type { FlagsOf } from "../../util/options.js";
import { formatCount, formatPercent } from "../../util/progress.js";
import { columns } from "../../util/terminal.js";
import { addOptions } from "../flags.js";
import { type Io, runAction } from "../run-action.js";

const help = `
Every fact about the test entities is put as a question, and the right sentence is compared with the same sentence with up to five wrong
values of other entities: is it more likely than all of them? Once on a page of questions, as the corpus has them, once under the
template. No tuning data asks about these entities, so what a model knows of them it has from its pages.

Example:
  tacit glasshouse facts --model glasshouse
  tacit glasshouse facts --model tuned --json`;

type Flags = FlagsOf<typeof glasshouseOptions.facts>;

export function registerFacts(glasshouse: Command): void {
  const command = glasshouse
    .command("facts")
    .description("Measures by likelihood which facts of the world a model knows.");
  addOptions(command, glasshouseOptions.facts)
    .addHelpText("after", help)
    .action((flags: Flags) => runAction(flags, (io) => run(flags, io)));
}

async function run({ json: _, events: _events, ...request }: Flags, io: Io): Promise<FactsSummary> {
  const { askFacts } = await import("../../glasshouse/model/ask-facts.js");
  const summary = await askFacts(request, io.watch());
  io.out(describe(summary));
  return summary;
}

const FORMS: Readonly<Record<string, string>> = { page: "on a page of questions", template: "under the template" };

function describe({ model, knowledge: { facts, against, forms, kinds } }: FactsSummary): string {
  const table = columns(
    [
      ["the right value is more likely than", "all wrong ones", "one of them"],
      ...Object.entries(forms).map(([form, { first, pairs }]) => [
        FORMS[form] ?? form,
        formatPercent(first),
        formatPercent(pairs),
      ]),
      [`by chance, of ${against}`, formatPercent(1 / (against + 1)), formatPercent(0.5)],
    ],
    [1, 2],
  );
  const parts = Object.entries(kinds).map(([kind, first]) => `${kind} ${formatPercent(first)}`);
  return `${model.path}: ${formatCount(facts)} facts, each beside ${against} wrong values or as many as there are
${table}All wrong ones, on a page of questions, by what they are about: ${parts.join(", ")}.
`;
}
