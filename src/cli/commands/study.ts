/**
 * `tacit study`: an experiment of many arms, seeds and epochs, written down once and carried out with reuse of whatever exists.
 * May not know: how anything is computed.
 */
import type { Command } from "commander";
import { onlyJson } from "../../options/files.js";
import {
  studyCleanOptions,
  studyOptions,
  studyPlanOptions,
  studyRunOptions,
  studyStatusOptions,
} from "../../options/study.js";
import type { StudyRequest } from "../../study/plan/flags.js";
import { type FlagsOf, valuesOf } from "../../util/options.js";
import { addOptions } from "../flags.js";
import { runAction } from "../run-action.js";

const help = `
STUDY is the path of a YAML file, or the name of a study of the package: glasshouse, contamination, response-tuning, single-task, rules,
ranking, role-tags, rephrasing, tiny. A study lists models, data, arms, seeds, numbers of epochs, how one is chosen, a judge, comparisons and analyses;
\`tacit study schema\` prints all keys. --scale takes one of the sizes that the study has.

Every step (tune, generate, score, judge, choose, compare, rank, similarity) has a folder named after the hash of all that determines its result.
A finished step is never carried out again; a step that was stopped is resumed. Stop with Ctrl-C, or in any other way, and give the same
command again. \`status\` and \`clean\` take flags that are not given from the folder's last run.

Examples:
  tacit study plan response-tuning --model gemma-3-270m --data-dir data --scale laptop
  tacit study run response-tuning --model gemma-3-270m --data-dir data --scale laptop
  tacit study run tiny --out runs/tiny`;

type StudyFlags = FlagsOf<typeof studyOptions>;

export function registerStudy(program: Command): void {
  const study = program
    .command("study")
    .description("Plans and carries out an experiment that is written down in one file.")
    .addHelpText("after", help);
  const plan = study
    .command("plan")
    .description("Prints the steps of a study, what exists, and what the rest will take.");
  addOptions(plan, studyPlanOptions)
    .addHelpText("after", example("plan single-task --data-dir data --model gemma-3-270m"))
    .action((spec: string, flags: FlagsOf<typeof studyPlanOptions>) =>
      runAction(flags, async (io) => (await import("../study/plan.js")).showPlan(requestOf(spec, flags), flags, io)),
    );
  const run = study.command("run").description("Carries out what is not done yet.");
  addOptions(run, studyRunOptions)
    .addHelpText("after", example("run tiny --out runs/tiny"))
    .action((spec: string, flags: FlagsOf<typeof studyRunOptions>) =>
      runAction(flags, async (io) => (await import("../study/run.js")).carryOutStudy(requestOf(spec, flags), io)),
    );
  const status = study.command("status").description("Says what is done, what failed and why, and what is left.");
  addOptions(status, studyStatusOptions)
    .addHelpText("after", example("status tiny --out runs/tiny --steps"))
    .action((spec: string, flags: FlagsOf<typeof studyStatusOptions>) =>
      runAction(flags, async (io) =>
        (await import("../study/status.js")).showStatus(requestOf(spec, flags), flags, io),
      ),
    );
  const clean = study
    .command("clean")
    .description("Lists results that no step of the study refers to any more, or removes them.");
  addOptions(clean, studyCleanOptions)
    .addHelpText("after", example("clean tiny --out runs/tiny --force"))
    .action((spec: string, flags: FlagsOf<typeof studyCleanOptions>) =>
      runAction(flags, async (io) => (await import("../study/clean.js")).cleanStudy(requestOf(spec, flags), flags, io)),
    );
  const schema = study.command("schema").description("Prints the JSON Schema of study files, for editors.");
  addOptions(schema, onlyJson)
    .addHelpText("after", example("schema > study.schema.json"))
    .action((flags: { readonly json: boolean }) =>
      runAction(flags, async (io) => {
        const { studyJsonSchema } = await import("../../study/plan/read.js");
        const printed = studyJsonSchema();
        io.out(`${JSON.stringify(printed, null, 2)}\n`);
        return printed;
      }),
    );
}

const example = (words: string): string => `\nExample:\n  tacit study ${words}`;

const requestOf = (study: string, flags: StudyFlags): StudyRequest => ({ ...valuesOf(studyOptions, flags), study });
