/**
 * `tacit render`: the ids and the loss mask of every row, with a certificate; `--show` prints rows coloured by loss.
 * May not know: how rows are made.
 */
import type { Command } from "commander";
import type { LoadReport } from "../../data/load.js";
import { renderOptions } from "../../options/render.js";
import type { Certificate } from "../../records/certificate.js";
import type { Row } from "../../records/row.js";
import type { RenderRequest } from "../../steps/render.js";
import type { TextModel } from "../../text/tokenizer.js";
import { UserError } from "../../util/errors.js";
import type { FlagsOf } from "../../util/options.js";
import { formatCount, plural } from "../../util/progress.js";
import type { Paint } from "../../util/terminal.js";
import { option, words } from "../../util/words.js";
import { defaultLimits, limitOf } from "../data-options.js";
import { addOptions } from "../flags.js";
import { type Io, runAction } from "../run-action.js";
import { templateNames, withTemplate } from "../template-options.js";

type RenderFlags = FlagsOf<typeof renderOptions>;

const help = `
The format is {BOS}<|user|>\\n{instruction}\\n<|assistant|>\\n{response}{EOS}. Loss falls on each response and its EOS, on
nothing else. A row is {id, input_ids, labels, prompt_tokens, merged, cut}, labels -100 where there is no loss; the
certificate beside the rows (ROWS.certificate.json) says what was checked of all of them.

Examples:
  tacit render --model DIR --data lima:lima_data.jsonl --objective response --out rows.jsonl
  tacit render --model DIR --data my.jsonl --show 3`;

export function registerRender(program: Command): void {
  const command = program
    .command("render")
    .description("Turns examples into token ids and a loss mask, checks every row, and shows where the loss falls.");
  addOptions(command, renderOptions, { limits: defaultLimits(), templates: templateNames() })
    .addHelpText("after", help)
    .action((flags: RenderFlags) => runAction(flags, (io) => render(flags, io)));
}

async function render(flags: RenderFlags, io: Io): Promise<object> {
  const { loadTextModel } = await import("../../text/load.js");
  if (flags.out === undefined && flags.show === undefined) {
    throw new UserError("nothing was asked for", { remedy: words`pass ${option("out")}, ${option("show")}, or both` });
  }
  const { template, objective, bos, maxLength, skipEmpty } = withTemplate(flags);
  const model = await loadTextModel(flags.model);
  const request: RenderRequest = { model, template, objective, bos, maxLength, skipEmpty };
  return flags.out === undefined ? showOnly(flags, request, io) : writeAndShow(flags, request, flags.out, io);
}

async function writeAndShow(flags: RenderFlags, request: RenderRequest, out: string, io: Io): Promise<object> {
  const { writeRows, certificatePath } = await import("../../steps/render.js");
  const { loadExamples, newLoadReport } = await import("../../data/load.js");
  const { pathIn } = await import("../../data/spec.js");
  const { decidingFiles } = await import("../../model-files/hash.js");
  const report = newLoadReport();
  const show = await shower(request.model, io);
  let rows = 0;
  const watch = (row: Row): void => {
    rows += 1;
    if (rows <= (flags.show ?? 0)) show(row);
    io.progress.update(() => `${rows} rows`);
  };
  const examples = loadExamples(flags.data, { report, ...limitOf(flags) });
  const files = { path: out, inputs: [...(await decidingFiles(flags.model)), pathIn(flags.data)], force: flags.force };
  const { certificate, sha256 } = await writeRows(files, examples, request, { watch, signal: io.signal });
  printCertificate(io, certificate, report);
  io.out(`${out}\n${certificatePath(out)}\n`);
  return { out, certificate_file: certificatePath(out), sha256, left_out: leftOut(report), certificate };
}

async function showOnly(flags: RenderFlags, request: RenderRequest, io: Io): Promise<object> {
  const { renderRows, certifierFor } = await import("../../steps/render.js");
  const { loadExamples, newLoadReport } = await import("../../data/load.js");
  const report = newLoadReport();
  const certifier = certifierFor(request);
  const show = await shower(request.model, io);
  let rows = 0;
  for await (const row of renderRows(loadExamples(flags.data, { report, ...limitOf(flags) }), request, certifier)) {
    show(row);
    rows += 1;
    if (rows >= (flags.show ?? 0)) break;
  }
  return { out: null, shown: rows, certificate: certifier.finish() };
}

/** Prints one row: green carries loss; without colour, loss stands between ⟦ and ⟧. */
async function shower(model: TextModel, io: Io): Promise<(row: Row) => void> {
  const { segmentsOf } = await import("../../text/segments.js");
  const { supervisedTokens } = await import("../../text/render.js");
  const { paintFor, printable, quoted, wantsColour } = await import("../../util/terminal.js");
  const paint = paintFor(process.stdout);
  const colour = wantsColour(process.stdout);
  return (row) => {
    const marks = [row.merged ? "merged at the border" : "", row.cut ? "cut" : ""].filter((mark) => mark !== "");
    const counts = `${row.inputIds.length} tokens, ${row.promptTokens} of prompt, ${supervisedTokens(row)} with loss`;
    io.out(`${paint("bold", quoted(row.id))} · ${[counts, ...marks].join(" · ")}\n`);
    const runs = lossRuns(segmentsOf(model.tokenizer, row));
    io.out(`${runs.map((run) => (colour ? painted(paint, run, printable) : bracketed(run, printable))).join("")}\n\n`);
  };
}

interface Run {
  readonly loss: boolean;
  readonly parts: readonly { readonly text: string; readonly control: boolean }[];
}

function lossRuns(segments: readonly { text: string; control: boolean; loss: boolean }[]): Run[] {
  const runs: { loss: boolean; parts: { text: string; control: boolean }[] }[] = [];
  for (const { loss, text, control } of segments) {
    const last = runs.at(-1);
    if (last?.loss === loss) last.parts.push({ text, control });
    else runs.push({ loss, parts: [{ text, control }] });
  }
  return runs;
}

function painted(paint: Paint, run: Run, safe: (text: string) => string): string {
  return run.parts
    .map(({ text, control }) =>
      paint(run.loss ? (control ? "cyan" : "green") : control ? "magenta" : "dim", safe(text)),
    )
    .join("");
}

function bracketed(run: Run, safe: (text: string) => string): string {
  const text = run.parts.map((part) => safe(part.text)).join("");
  return run.loss ? `⟦${text}⟧` : text;
}

function printCertificate(io: Io, certificate: Certificate, report: LoadReport): void {
  const share = (100 * certificate.supervised_tokens) / certificate.tokens;
  io.out(
    `${plural(certificate.rows, "row")} · ${plural(certificate.tokens, "token")} · longest ${formatCount(certificate.longest_row)}\n`,
  );
  io.out(
    `loss on ${plural(certificate.supervised_tokens, "token")} (${share.toFixed(1)} %) of ${formatCount(certificate.responses)} responses\n`,
  );
  io.out(
    `${formatCount(certificate.responses_stopped)} responses end with a supervised EOS (id ${certificate.eos_id})\n`,
  );
  const counted: [number, string][] = [
    [certificate.rows_cut, "rows were cut"],
    [
      certificate.rows_merged,
      "rows would have merged at the border of prompt and response; their prompts were kept intact",
    ],
    [certificate.rows_skipped, "rows were skipped: nothing of them carries loss"],
    [certificate.responses_empty, "responses are empty: their EOS alone carries loss"],
  ];
  if (certificate.rows_lossy > 0) {
    io.note(
      `warning: ${formatCount(certificate.rows_lossy)} rows hold characters that have no token in this vocabulary; their ids lack them`,
    );
  }
  for (const [n, what] of counted) if (n > 0) io.out(`${formatCount(n)} ${what}\n`);
  for (const { reason, count } of leftOut(report))
    io.out(`${formatCount(count)} left out by the data set: ${reason}\n`);
}

const leftOut = (report: LoadReport): { reason: string; count: number }[] =>
  [...report.leftOut].map(([reason, { count }]) => ({ reason, count }));
