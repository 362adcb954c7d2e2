/**
 * `tacit report`: what a study found, as a page to read.
 * May not know: how anything is drawn.
 */
import type { Command } from "commander";
import { reportOptions } from "../../options/study.js";
import type { ReportSummary } from "../../report/report.js";
import type { FlagsOf } from "../../util/options.js";
import { addOptions } from "../flags.js";
import { type Io, runAction } from "../run-action.js";

const help = `
Writes OUT/index.html (one file: opens from disk, needs no network and no script, light and dark, prints), OUT/report.md, every table as
OUT/tables/NAME.csv and every figure as OUT/figures/NAME.svg. The same records give the same bytes. What failed is on the page.

Example:
  tacit report runs/response-tuning`;

type ReportFlags = FlagsOf<typeof reportOptions>;

export function registerReport(program: Command): void {
  const command = program
    .command("report")
    .description("Shows what a study found: one page, with every table and figure as a file.")
    .argument("<dir>", "folder that `tacit study run` made");
  addOptions(command, reportOptions)
    .addHelpText("after", help)
    .action((study: string, flags: ReportFlags) => runAction(flags, (io) => runReport(study, flags, io)));
}

async function runReport(study: string, flags: ReportFlags, io: Io): Promise<ReportSummary> {
  const { join } = await import("node:path");
  const { report } = await import("../../report/report.js");
  const summary = await report({ study, out: flags.out ?? join(study, "report"), force: flags.force });
  io.out(`${join(summary.out, summary.html)}\n`);
  io.out(
    `${summary.tables.length} tables, ${summary.figures.length} figures, and the same as ${join(summary.out, summary.markdown)}\n`,
  );
  return summary;
}
