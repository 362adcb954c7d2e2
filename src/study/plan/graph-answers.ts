/**
 * Steps that ask a model: its answers to the prompts of the test or of the validation set.
 * May not know: arms.
 */
import type { Arm } from "../../records/study-file.js";
import type { Limit, Place, Step } from "../step.js";
import {
  type Asked,
  type Builder,
  type CellDraft,
  epochsPart,
  file,
  type GraphContext,
  type Planned,
  path,
  seedPart,
  templateOf,
} from "./graph-builder.js";

interface Questions {
  readonly prompts: string;
  readonly limit: Limit | undefined;
  /** What differs from the study's generation. */
  readonly settings: Arm["generation"];
}

export function addGeneration(
  builder: Builder,
  asked: Asked,
  split: "test" | "validation",
  questions: Questions,
): Step {
  const { context } = builder;
  const { name, arm, model } = asked.at;
  const cell = { model, arm: name, seed: asked.seed, epochs: asked.epochs };
  const swept = split === "validation" ? epochsPart(asked.epochs) : undefined;
  const id = path("generate", split, model, name, seedPart(asked.seed), swept);
  const planned = asked.place === undefined ? undefined : planGeneration(context, asked, asked.place, arm, questions);
  return builder.add({ id, kind: "generate", needs: asked.needs, cell }, planned);
}

function planGeneration(context: GraphContext, asked: Asked, place: Place, arm: Arm, questions: Questions): Planned {
  const { study, inputs } = context;
  const { prompts: _prompts, limit: _limit, ...general } = study.generation ?? { prompts: "" };
  const settings = { ...general, ...questions.settings };
  const { batch: _, ...determining } = settings;
  const prompts = inputs.get("data", questions.prompts);
  const rules =
    arm.kind === "rules" ? { spec: inputs.get("rules", arm.rules).spec, disable: arm.disable ?? [] } : undefined;
  const template = templateOf(context, arm);
  const generator = path(asked.at.model, asked.at.name, seedPart(asked.seed));
  return {
    work: {
      kind: "generate",
      model: place,
      prompts: prompts.spec,
      limit: questions.limit,
      template,
      settings,
      rules,
      generator,
    },
    request: {
      model: asked.identity,
      prompts: file(prompts, questions.limit),
      template,
      settings: determining,
      rules: arm.kind === "rules" ? { sha256: inputs.get("rules", arm.rules).hash, disabled: arm.disable ?? [] } : null,
      generator,
    },
  };
}

export function noteAnswers(builder: Builder, asked: Asked, split: "test" | "validation", step: string): void {
  const same = ({ node: { key } }: CellDraft): boolean =>
    key.model === asked.at.model && key.arm === asked.at.name && key.seed === asked.seed && key.epochs === asked.epochs;
  builder.cells.find(same)?.node.answers.push({ split, step });
}
