/** `tacit glasshouse data`: the world's data sets as files. */
import type { Command } from "commander";
import type { DataManifest } from "../../glasshouse/files/data-files.js";
import { glasshouseOptions } from "../../options/files.js";
import type { FlagsOf } from "../../util/options.js";
import { formatCount } from "../../util/progress.js";
import { columns } from "../../util/terminal.js";
import { addOptions } from "../flags.js";
import { type Io, runAction } from "../run-action.js";

const help = `
Writes instructions.jsonl, validation.jsonl (56) with a baseline, test.jsonl (200), five narrow sets of 500 (poems, recipes, arithmetic,
programs, games), facts.jsonl, a README and manifest.json with counts and hashes. Rows are {id, instruction, response}; those of
validation and test say what the checker must find (check). Equal seeds and rows give equal bytes; the package ships those of seed 1.

Example:
  tacit glasshouse data --out data
  tacit data check data/instructions.jsonl`;

type Flags = FlagsOf<typeof glasshouseOptions.data>;

export function registerGlasshouseData(glasshouse: Command): void {
  const command = glasshouse
    .command("data")
    .description("Writes the world's data sets: instructions, validation, test, five narrow tasks, facts.");
  addOptions(command, glasshouseOptions.data)
    .addHelpText("after", help)
    .action((flags: Flags) => runAction(flags, (io) => run(flags, io)));
}

async function run({ out, seed, rows, force }: Flags, io: Io): Promise<DataManifest> {
  const { writeDataFiles } = await import("../../glasshouse/files/data-files.js");
  const manifest = await writeDataFiles({ out, seed, rows, force });
  const lines = manifest.files.map(({ name, rows: count, instructions, about }) => [
    `${out}/${name}`,
    formatCount(count),
    formatCount(instructions),
    about,
  ]);
  io.out(columns([["file", "rows", "different", "for"], ...lines], [1, 2]));
  return manifest;
}
