/**
 * `tacit study`: an experiment of many arms, seeds and epochs, written down once and carried out with reuse of whatever exists.
 * May not know: how anything is computed.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import type { StudyRequest } from "../../study/plan/flags.js";
import { integer, jsonOption } from "../options.js";
import { runAction } from "../run-action.js";

const help = `
STUDY is the path of a YAML file, or the name of a study of the package: glasshouse, contamination, response-tuning, single-task, rules,
ranking, role-tags, rephrasing, tiny. A study lists models, data, arms, seeds, numbers of epochs, how one is chosen, a judge, comparisons and analyses;
\`tacit study schema\` prints all keys. --scale takes one of the sizes that the study has.

Every step (tune, generate, score, judge, choose, compare, rank, similarity) has a folder named after the hash of all that determines its result.
A finished step is never carried out again; a step that was stopped goes on. Stop with Ctrl-C, or in any other way, and give the same
command again. \`status\` and \`clean\` take flags that are not given from the folder's last run.

Examples:
  tacit study plan response-tuning --model gemma-3-270m --data-dir data --scale laptop
  tacit study run response-tuning --model gemma-3-270m --data-dir data --scale laptop
  tacit study run tiny --out runs/tiny`;

interface StudyFlags {
  readonly scale?: string;
  readonly out?: string;
  readonly model: readonly string[];
  readonly data: readonly string[];
  readonly dataDir?: string;
  readonly judge?: string;
  readonly encoder?: string;
  readonly seeds?: readonly number[];
  readonly lcData?: string;
  readonly threads?: number;
  readonly json: boolean;
}

export function registerStudy(program: Command): void {
  const study = program
    .command("study")
    .description("Plans and carries out an experiment that is written down in one file.")
    .addHelpText("after", help);
  const plan = study
    .command("plan")
    .description("Prints the steps of a study, what exists, and what the rest will take.");
  addStudyOptions(plan)
    .addOption(new Option("--steps", "one line a step").default(false, "one line a kind of step and arm"))
    .addOption(
      new Option("--check", "exit with 2 where memory or disk of this machine cannot suffice").default(
        false,
        "only say so",
      ),
    )
    .addOption(jsonOption())
    .addHelpText("after", example("plan single-task --data-dir data --model gemma-3-270m"))
    .action((spec: string, flags: StudyFlags & { readonly steps: boolean; readonly check: boolean }) =>
      runAction(flags, async (io) => (await import("../study/plan.js")).showPlan(requestOf(spec, flags), flags, io)),
    );
  const run = study.command("run").description("Carries out what is not done yet.");
  addStudyOptions(run)
    .addOption(jsonOption())
    .addHelpText("after", example("run tiny --out runs/tiny"))
    .action((spec: string, flags: StudyFlags) =>
      runAction(flags, async (io) => (await import("../study/run.js")).carryOutStudy(requestOf(spec, flags), io)),
    );
  const status = study.command("status").description("Says what is done, what failed and why, and what is left.");
  addStudyOptions(status)
    .addOption(new Option("--steps", "one line a step, with its folder").default(false, "one line a kind of step"))
    .addOption(jsonOption())
    .addHelpText("after", example("status tiny --out runs/tiny --steps"))
    .action((spec: string, flags: StudyFlags & { readonly steps: boolean }) =>
      runAction(flags, async (io) =>
        (await import("../study/status.js")).showStatus(requestOf(spec, flags), flags, io),
      ),
    );
  const clean = study
    .command("clean")
    .description("Lists results that no step of the study refers to any more, or removes them.");
  addStudyOptions(clean)
    .addOption(new Option("--force", "remove them").default(false, "only list them"))
    .addOption(jsonOption())
    .addHelpText("after", example("clean tiny --out runs/tiny --force"))
    .action((spec: string, flags: StudyFlags & { readonly force: boolean }) =>
      runAction(flags, async (io) => (await import("../study/clean.js")).cleanStudy(requestOf(spec, flags), flags, io)),
    );
  study
    .command("schema")
    .description("Prints the JSON Schema of study files, for editors.")
    .addOption(jsonOption())
    .addHelpText("after", example("schema > study.schema.json"))
    .action((flags: { readonly json: boolean }) =>
      runAction(flags, async (io) => {
        const { studyJsonSchema } = await import("../../study/plan/read.js");
        const schema = studyJsonSchema();
        io.out(`${JSON.stringify(schema, null, 2)}\n`);
        return schema;
      }),
    );
}

const example = (words: string): string => `\nExample:\n  tacit study ${words}`;

const collect = (text: string, before: readonly string[]): readonly string[] => [...before, text];

const wholeNumber = integer({ min: 0 });

function seedList(text: string): readonly number[] {
  const seeds = text.split(",").map(wholeNumber);
  if (new Set(seeds).size < seeds.length) throw new InvalidArgumentError("Give every seed once.");
  return seeds;
}

function addStudyOptions(command: Command): Command {
  return command
    .argument("<study>", "path of a study file, or the name of a shipped one")
    .addOption(new Option("--scale <name>", "one of the study's scales (default: the one that it names)"))
    .addOption(new Option("--out <dir>", "folder of the results (default: runs/NAME-SCALE)"))
    .addOption(
      new Option("--model <dir>", "base model; NAME=DIR for a study of several")
        .default([], "the study's")
        .argParser(collect),
    )
    .addOption(new Option("--data-dir <dir>", "folder of the data sets, which studies call $data (default: ./data)"))
    .addOption(
      new Option("--data <name=spec>", "other data under a name of the study; may be given several times")
        .default([], "the study's")
        .argParser(collect),
    )
    .addOption(new Option("--judge <file>", "judge file, or none (default: the study's)"))
    .addOption(new Option("--encoder <dir>", "encoder for similarities (default: the study's)"))
    .addOption(new Option("--seeds <list>", "seeds, as 1,2,3 (default: the study's)").argParser(seedList))
    .addOption(
      new Option("--lc-data <dir>", "difficulties and gamed baselines for length control (default: the study's)"),
    )
    .addOption(
      new Option(
        "--threads <n>",
        "threads of a computing step (default: those that the folder was begun with, else the cores there are)",
      ).argParser(integer({ min: 1, max: 1024 })),
    );
}

/** A flag that was not given is absent. */
function requestOf(study: string, flags: StudyFlags): StudyRequest {
  const { model: models, data, scale, out, dataDir, judge, encoder, seeds, lcData, threads } = flags;
  const given = Object.entries({ scale, out, dataDir, judge, encoder, seeds, lcData, threads }).filter(
    ([, value]) => value !== undefined,
  );
  return { study, models, data, ...Object.fromEntries(given) };
}
