/**
 * Answers of a model, alone or under rules, to the prompts of the test or of the validation set.
 * May not know: the graph.
 */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { studySettings } from "../../options/study-settings.js";
import { generateRunSchema, outputSchema } from "../../records/outputs.js";
import type { Study } from "../../records/study-file.js";
import { countAnswers } from "../../stats/answers.js";
import { generate, generatePaths } from "../../steps/generate.js";
import { deciding, optionsIn } from "../../util/options.js";
import { readRecord } from "../../util/record-file.js";
import {
  type Known,
  type Limit,
  leavesFiles,
  READING_MEMORY,
  type Source,
  type StepDefinition,
  type TemplateSettings,
  UNREADABLE,
} from "../step.js";
import { isWhole, modelOf, templateOptions, timed } from "./computing.js";

export type GenerationSettings = Omit<NonNullable<Study["generation"]>, "prompts" | "limit">;

export interface GenerateWork {
  readonly kind: "generate";
  readonly model: Source;
  readonly prompts: Source;
  readonly limit: Limit | undefined;
  readonly template: TemplateSettings;
  readonly settings: GenerationSettings;
  readonly rules: { readonly file: Source; readonly disable: readonly string[] } | undefined;
  readonly generator: string;
}

const OUTPUTS = "outputs.json";

export const generateStep: StepDefinition<GenerateWork> = {
  lane: "computing",
  alone: false,
  memory: READING_MEMORY,
  models: () => 0,
  result: OUTPUTS,
  leaves: leavesFiles(generatePaths(OUTPUTS)),
  inputs: ({ model, prompts, rules }) => [model, prompts, ...(rules === undefined ? [] : [rules.file])],
  request({ model, prompts, template, settings, rules, generator }) {
    return {
      ...{ model: model.is, prompts: prompts.is, template, settings: deciding(studySettings.generate, settings) },
      rules: rules === undefined ? null : { sha256: rules.file.is, disabled: rules.disable },
      generator,
    };
  },
  async run(work, { folder, at, common, watch }) {
    const out = join(folder, OUTPUTS);
    const paths = generatePaths(out);
    const { settings, rules, limit } = work;
    if (!isWhole(paths.outputs, paths.run)) {
      await generate(
        {
          model: at(work.model.at),
          prompts: at(work.prompts.at),
          out,
          force: true, // the folder is this step's alone
          generator: work.generator,
          ...templateOptions(work.template),
          ...(typeof limit === "number" ? { limit } : {}),
          ...(rules === undefined ? {} : { rules: at(rules.file.at), disableRules: rules.disable }),
          ...optionsIn(studySettings.generate, settings),
          ...common,
        },
        watch,
      );
    }
    await rm(paths.partial, { force: true }); // of an attempt that was stopped when only this was left to do
    const { outcome } = await readRecord(paths.run, generateRunSchema, UNREADABLE);
    return { work: outcome.tokens, unit: "tokens" };
  },
  async forecast(work, known) {
    const { prompts, limit, rules, settings } = work;
    const { plan, ...expected } = await known.answers({
      ...{ model: modelOf(known), prompts: prompts.at, limit, settings: optionsIn(studySettings.generate, settings) },
      rules: rules === undefined ? undefined : { file: rules.file.at, disable: rules.disable },
    });
    const answers = { ...expected, meanTokens: await meanTokens(known) };
    const tokens = answers.rows * (answers.meanTokens ?? answers.mostTokens);
    return {
      ...(await timed(known, { tokens, work: tokens }, plan)),
      atMost: answers.meanTokens === undefined,
      answers,
    };
  },
  async summarise(result, { template }) {
    const outputs = await result.read(OUTPUTS, z.array(outputSchema));
    const { userTag, assistantTag } = templateOptions(template).template;
    const { meanTokens, ...counts } = countAnswers(outputs, [userTag, assistantTag]);
    return {
      answers: {
        outputs: result.path(OUTPUTS),
        run: result.path(generatePaths(OUTPUTS).run),
        counts: { ...counts, mean_tokens: meanTokens ?? null },
      },
    };
  },
  decides: undefined,
};

/** Of the arm's own answers, where some exist. */
async function meanTokens({ finished, cell, prompts }: Known<GenerateWork>): Promise<number | undefined> {
  const means: number[] = [];
  for (const { work, cell: other, timings } of finished) {
    if (other?.model !== cell?.model || other?.arm !== cell?.arm) continue;
    const asked = await prompts(work.prompts.at, work.limit);
    means.push(timings.work / Math.max(1, asked.length));
  }
  return means.length === 0 ? undefined : means.reduce((sum, mean) => sum + mean, 0) / means.length;
}
