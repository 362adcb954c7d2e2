/** `tacit glasshouse pages`: what a Glasshouse model reads. */
import type { Command } from "commander";
import type { PageCount } from "../../glasshouse/files/page-counts.js";
import { glasshouseOptions } from "../../options/files.js";
import type { FlagsOf } from "../../util/options.js";
import { formatCount } from "../../util/progress.js";
import { columns } from "../../util/terminal.js";
import { addOptions } from "../flags.js";
import { type Io, runAction } from "../run-action.js";

const help = `
Prints pages of the corpus in the order in which a model reads them, each under its number and kind, then how many there were of each
kind. --json gives the counts alone; tokens are counted where the model glasshouse is there.

Examples:
  tacit glasshouse pages --limit 3
  tacit glasshouse pages --kind forum --limit 2
  tacit glasshouse pages --contamination 0.05 --kind contaminated --limit 1`;

type Flags = FlagsOf<typeof glasshouseOptions.pages>;

interface PagesSummary {
  readonly seed: number;
  readonly contamination: number;
  readonly pages: number;
  readonly words: number;
  readonly tokens: number | null;
  readonly kinds: readonly PageCount[];
}

export function registerPages(glasshouse: Command): void {
  const command = glasshouse.command("pages").description("Prints pages of the corpus, and counts them by kind.");
  addOptions(command, glasshouseOptions.pages)
    .addHelpText("after", help)
    .action((flags: Flags) => runAction(flags, (io) => run(flags, io)));
}

async function run(flags: Flags, io: Io): Promise<PagesSummary> {
  const { corpusPages, countPages } = await import("../../glasshouse/files/page-counts.js");
  const { paintFor } = await import("../../util/terminal.js");
  await checkKind(flags);
  const paint = paintFor(process.stdout);
  function* printed() {
    let left = flags.limit;
    for (const page of corpusPages(flags)) {
      io.out(`${paint("dim", `page ${page.index}, ${page.kind}`)}\n${page.text}\n\n`);
      yield page;
      left -= 1;
      if (left === 0) return;
    }
  }
  const kinds = countPages(printed(), await shippedTokenizer());
  io.out(table(kinds));
  const sum = (value: (one: PageCount) => number): number => kinds.reduce((total, one) => total + value(one), 0);
  return {
    seed: flags.seed,
    contamination: flags.contamination,
    pages: sum((one) => one.pages),
    words: sum((one) => one.words),
    tokens: kinds.some(({ tokens }) => tokens === null) ? null : sum((one) => one.tokens ?? 0),
    kinds,
  };
}

/** A kind that does not occur would be looked for without end. */
async function checkKind({ kind, contamination }: Flags): Promise<void> {
  if (kind === undefined) return;
  const { PAGES } = await import("../../glasshouse/corpus.js");
  const { UserError } = await import("../../util/errors.js");
  const known = [...(contamination < 1 ? Object.keys(PAGES) : []), ...(contamination > 0 ? ["contaminated"] : [])];
  if (known.includes(kind)) return;
  throw new UserError(`there are no pages of the kind ${JSON.stringify(kind)}`, {
    remedy: `with --contamination ${contamination} the kinds are ${known.join(", ")}`,
  });
}

/** Words alone are counted in a package without the model. */
async function shippedTokenizer() {
  const { loadTextModel } = await import("../../text/load.js");
  const { hasShippedModel, SHIPPED_MODEL } = await import("../../util/model-directory.js");
  return hasShippedModel() ? (await loadTextModel(SHIPPED_MODEL)).tokenizer : undefined;
}

function table(kinds: readonly PageCount[]): string {
  const tokens = kinds.every((one) => one.tokens !== null);
  const rows = kinds.map(({ kind, pages, words, tokens: count }) => [
    kind,
    formatCount(pages),
    formatCount(words),
    ...(tokens ? [formatCount(count ?? 0)] : []),
  ]);
  return columns([["kind", "pages", "words", ...(tokens ? ["tokens"] : [])], ...rows], [1, 2, 3]);
}
