/**
 * Steps that ask a model: its answers to the prompts of the test or of the validation set.
 * May not know: arms.
 */
import type { Arm } from "../../records/study-file.js";
import type { Limit, Source } from "../step.js";
import type { Step, StepName, StepWork } from "../steps.js";
import { type ArmModel, type Builder, type CellDraft, cellOf, type Split, templateOf } from "./graph-builder.js";
import { dataSource, hashedSource } from "./sources.js";

interface Questions {
  readonly prompts: string;
  readonly limit: Limit | undefined;
  /** What differs from the study's generation. */
  readonly settings: Arm["generation"];
}

export function addGeneration(builder: Builder, model: ArmModel, split: Split, questions: Questions): Step {
  const { source, needs, seed, at } = model;
  const epochs = split === "validation" ? model.epochs : null;
  const name: StepName = { kind: "generate", of: split, model: at.model, arm: at.name, seed, epochs };
  const work = source === undefined ? undefined : generation(builder, model, source, questions);
  const step = builder.add({ name, needs, cell: cellOf(model) }, work);
  const same = ({ node: { key } }: CellDraft): boolean =>
    key.model === at.model && key.arm === at.name && key.seed === seed && key.epochs === model.epochs;
  builder.cells.find(same)?.node.answers.push({ split, step: step.id });
  return step;
}

function generation({ context }: Builder, { at, seed }: ArmModel, source: Source, questions: Questions): StepWork {
  const { prompts: _prompts, limit: _limit, ...general } = context.study.generation ?? { prompts: "" };
  const { arm } = at;
  const rules =
    arm.kind === "rules"
      ? { file: hashedSource(context.inputs, "rules", arm.rules), disable: arm.disable ?? [] }
      : undefined;
  return {
    kind: "generate",
    model: source,
    prompts: dataSource(context.inputs, questions.prompts, questions.limit),
    limit: questions.limit,
    template: templateOf(context, arm),
    settings: { ...general, ...questions.settings },
    rules,
    generator: generatorOf(at.model, at.name, seed),
  };
}

/** What answers say they are by. */
const generatorOf = (model: string, arm: string, seed: number | null): string =>
  [model, arm, seed === null ? [] : `seed-${seed}`].flat().join("/");
