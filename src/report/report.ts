/**
 * A study's folder as a page that people want to read, with every table as CSV and every figure as SVG. A function of the records: the same
 * records give the same bytes.
 * May not know: how a study is carried out.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeDirectory } from "../util/directories.js";
import { openAtomic, writeFileAtomic } from "../util/files.js";
import { csv } from "./csv.js";
import type { Report, Section } from "./document.js";
import { headline } from "./headline.js";
import { html, KICKER } from "./html.js";
import { markdown } from "./markdown.js";
import { openStudy } from "./read.js";
import { ablation } from "./sections/ablation.js";
import { answers } from "./sections/answers.js";
import { behaviour } from "./sections/behaviour.js";
import { compared } from "./sections/compared.js";
import { epochs } from "./sections/epochs.js";
import { gain } from "./sections/gain.js";
import { generation } from "./sections/generation.js";
import { headToHead } from "./sections/head-to-head.js";
import { provenance } from "./sections/provenance.js";
import { ranking } from "./sections/ranking.js";
import { scores } from "./sections/scores.js";
import { similarity } from "./sections/similarity.js";
import { training } from "./sections/training.js";
import { standalone } from "./svg.js";

export interface ReportOptions {
  /** The folder of a study. */
  readonly study: string;
  readonly out: string;
  readonly force?: boolean;
}

export interface ReportSummary {
  readonly out: string;
  /** Relative to `out`. */
  readonly html: string;
  readonly markdown: string;
  readonly tables: readonly string[];
  readonly figures: readonly string[];
}

const PAGE = "index.html";
const TEXT = "report.md";
/** Of the first words of every table's and figure's name; a section that is new adds its own. */
const SUBJECTS = [
  ...["arms", "inputs", "steps", "certificates", "head-to-head", "gain", "ablation", "scores", "behaviour"],
  ...["generation", "ranking", "similarity", "epochs", "training"],
];
const DRAWN = new RegExp(
  `^(tables/(${SUBJECTS.join("|")})(-[^/]*)?\\.csv|figures/(${SUBJECTS.join("|")})(-[^/]*)?\\.svg)$`,
);

/** Whether a report writes a file of this path: what `force` may replace. */
export const isReportFile = (path: string): boolean =>
  [PAGE, TEXT, "tables/", "figures/"].includes(path) || DRAWN.test(path);

const MARKER = { name: PAGE, isOurs: (text: string): boolean => text.includes(KICKER) };

/** @throws UserError  `study` is no study's folder, a record of it is gone, or `out` already exists */
export async function report({ study: folder, out, force = false }: ReportOptions): Promise<ReportSummary> {
  const made = await makeReport(folder);
  const blocks = made.sections.flatMap((section) => section.blocks);
  const tables = blocks.flatMap((block) => (block.kind === "table" ? [block.table] : []));
  const figures = blocks.flatMap((block) => (block.kind === "figure" ? [block.figure] : []));
  await writeDirectory(out, { force, marker: MARKER, owns: isReportFile }, async (directory) => {
    await mkdir(join(directory, "tables"));
    await mkdir(join(directory, "figures"));
    for (const table of tables) await writeFileAtomic(join(directory, "tables", `${table.id}.csv`), csv(table));
    for (const { id, svg } of figures)
      await writeFileAtomic(join(directory, "figures", `${id}.svg`), `${standalone(svg)}\n`);
    await writeAll(join(directory, TEXT), markdown(made));
    await writeAll(join(directory, PAGE), html(made));
  });
  return {
    out,
    html: PAGE,
    markdown: TEXT,
    tables: tables.map(({ id }) => `tables/${id}.csv`),
    figures: figures.map(({ id }) => `figures/${id}.svg`),
  };
}

/** The report before it is written: what a test looks at. */
export async function makeReport(folder: string): Promise<Report> {
  const study = await openStudy(folder);
  const sections: (Section | undefined)[] = [
    compared(study),
    headToHead(study),
    await gain(study),
    await ablation(study),
    await scores(study),
    behaviour(study),
    await generation(study),
    ranking(study),
    await similarity(study),
    epochs(study),
    await training(study),
    await answers(study),
    await provenance(study),
  ];
  return {
    title: study.record.study.name,
    lead: study.record.study.about,
    result: headline(study),
    sections: sections.filter((section) => section !== undefined),
  };
}

async function writeAll(path: string, pieces: Iterable<string>): Promise<void> {
  const writer = await openAtomic(path);
  try {
    for (const piece of pieces) await writer.write(piece);
    await writer.commit();
  } catch (error) {
    await writer.discard();
    throw error;
  }
}
