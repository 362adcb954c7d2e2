/**
 * The steps of a study, as a pure function of the study, its inputs and the epochs chosen so far. Steps that read what an unmade choice
 * decides are there without a plan; when the choice is made, the graph is made anew.
 *
 * A step comes after everything that it needs.
 * May not know: what exists on disk.
 */
import type { CellKey } from "../records/study.js";
import type { Arm, Study } from "../records/study-file.js";
import { invariant, present } from "../util/errors.js";
import { sha256 } from "../util/files.js";
import type { Input, Inputs } from "./inputs.js";
import { armsOf, epochsOf, isTuned, modelsOf, seedsOf } from "./names.js";
import {
  inStep,
  type Limit,
  type Place,
  planStep,
  resultNames,
  type Step,
  type StepPlan,
  type StepWork,
} from "./step.js";

export interface GraphContext {
  readonly study: Study;
  readonly inputs: Inputs;
  /** What else decides every result: the package's version, the engine and its threads. */
  readonly settings: { readonly tacit: string; readonly engine: string; readonly threads: number };
  /** Chosen epochs by `armKey`. */
  readonly choices: ReadonlyMap<string, number>;
}

export interface Graph {
  readonly steps: readonly Step[];
  readonly cells: readonly CellNode[];
  readonly leftOut: readonly { readonly what: string; readonly reason: string }[];
}

/** One model of the study and the steps that it and its answers come from. */
export interface CellNode {
  readonly key: CellKey;
  readonly chosen: boolean;
  /** Where it is tuned: its step, and the model directory. */
  readonly tune: { readonly step: string; readonly model: Place } | undefined;
  readonly answers: readonly { readonly split: "test" | "validation"; readonly step: string }[];
}

export const armKey = (model: string, arm: string): string => `${model}/${arm}`;

export function buildGraph(context: GraphContext): Graph {
  const builder = openBuilder(context);
  const { study } = context;
  for (const [name, arm] of Object.entries(study.arms)) {
    for (const model of modelsOf(study, arm)) addArm(builder, { name, arm, model });
  }
  addComparisons(builder);
  addAnalyses(builder);
  return { steps: builder.steps, cells: builder.cells.map(({ node }) => node), leftOut: builder.leftOut };
}

interface ArmAt {
  readonly name: string;
  readonly arm: Arm;
  readonly model: string;
}

/** A model that can be asked: where it is, what identifies it, and the steps to wait for. Without `place`: not chosen yet. */
interface Asked {
  readonly at: ArmAt;
  readonly seed: number | null;
  readonly epochs: number | null;
  readonly place: Place | undefined;
  readonly identity: unknown;
  readonly needs: readonly string[];
}

interface CellDraft {
  readonly node: CellNode & { answers: { split: "test" | "validation"; step: string }[] };
}

interface Builder {
  readonly context: GraphContext;
  readonly steps: Step[];
  readonly cells: CellDraft[];
  readonly leftOut: { what: string; reason: string }[];
  /** What each arm finally is, a model for each seed. */
  readonly finals: Map<string, readonly Asked[]>;
  add(step: Omit<Step, "plan">, plan: Planned | undefined): Step;
}

interface Planned {
  readonly work: StepWork;
  readonly request: Record<string, unknown>;
}

function openBuilder(context: GraphContext): Builder {
  const steps: Step[] = [];
  const { tacit, engine, threads } = context.settings;
  const ids = new Set<string>();
  return {
    context,
    steps,
    cells: [],
    leftOut: [],
    finals: new Map(),
    add(step, planned) {
      invariant(!ids.has(step.id), `two steps ${step.id}`);
      ids.add(step.id);
      const computes = !["judge", "choose", "compare"].includes(step.kind);
      const common = computes ? { tacit, engine, threads } : { tacit };
      const plan = planned === undefined ? undefined : planStep(planned.work, { ...common, ...planned.request });
      const whole = { ...step, plan };
      steps.push(whole);
      return whole;
    },
  };
}

const file = ({ hash, spec }: Input, limit?: Limit): Record<string, unknown> => ({
  format: formatName(spec),
  sha256: hash,
  limit,
});
/** How data is read decides what it is: `lima:` and the ending, without the path. */
const formatName = (spec: string): string =>
  `${/^[A-Za-z][A-Za-z0-9_-]+(?=:)/.exec(spec)?.[0] ?? ""}:${/\.[^./]*$/.exec(spec)?.[0] ?? ""}`;

const path = (...parts: readonly (string | undefined)[]): string =>
  parts.filter((part) => part !== undefined).join("/");
const seedPart = (seed: number | null): string | undefined => (seed === null ? undefined : `seed-${seed}`);
const epochsPart = (epochs: number | null): string | undefined => (epochs === null ? undefined : `epochs-${epochs}`);

const templateOf = ({ study }: GraphContext, arm: Arm) => arm.template ?? study.template;

function addArm(builder: Builder, at: ArmAt): void {
  const { context } = builder;
  const finals = isTuned(at.arm) ? addTunedArm(builder, at) : [addPlainArm(builder, at)];
  builder.finals.set(armKey(at.model, at.name), finals);
  const { generation } = context.study;
  if (generation === undefined) return;
  const { prompts, limit } = generation;
  for (const asked of finals) {
    const { id } = addGeneration(builder, asked, "test", { prompts, limit, settings: at.arm.generation });
    noteAnswers(builder, asked, "test", id);
  }
}

function addPlainArm(builder: Builder, at: ArmAt): Asked {
  const input = builder.context.inputs.get("model", at.model);
  const key = { model: at.model, arm: at.name, seed: null, epochs: null };
  builder.cells.push({ node: { key, chosen: true, tune: undefined, answers: [] } });
  return { at, seed: null, epochs: null, place: { outside: input.spec }, identity: { sha256: input.hash }, needs: [] };
}

/** Tunes for every seed and number of epochs, chooses, and gives the chosen model of each seed. */
function addTunedArm(builder: Builder, at: ArmAt): Asked[] {
  const { study, choices } = builder.context;
  const [epochs, seeds] = [epochsOf(study, at.arm), seedsOf(study, at.arm)];
  const [only, ...others] = epochs;
  if (others.length === 0)
    return seeds.map((seed) => addTuning(builder, at, seed, present(only ?? null, "epochs"), true));
  const selection = present(study.selection, "selection");
  const chosen = choices.get(armKey(at.model, at.name));
  const sweeping = seeds.filter((seed) => selection.seeds?.includes(seed) ?? true);
  const swept = sweeping.flatMap((seed) => epochs.map((n) => addTuning(builder, at, seed, n, n === chosen)));
  const choice = addChoice(builder, at, swept);
  return seeds.map((seed) => {
    const known = swept.find((one) => one.seed === seed && one.epochs === chosen);
    if (known !== undefined) return { ...known, needs: [...known.needs, choice.id] };
    if (chosen === undefined) return addOpenTuning(builder, at, seed, sweeping.includes(seed), choice.id);
    const tuned = addTuning(builder, at, seed, chosen, true, [choice.id]);
    return { ...tuned, needs: [...tuned.needs, choice.id] };
  });
}

/** Until it is chosen: the model of a seed that is known to be needed. */
function addOpenTuning(builder: Builder, at: ArmAt, seed: number, swept: boolean, choice: string): Asked {
  const open = { at, seed, epochs: null, place: undefined, identity: undefined };
  if (swept) return { ...open, needs: [choice] };
  const cell = { model: at.model, arm: at.name, seed, epochs: null };
  const { id } = builder.add(
    { id: path("tune", at.model, at.name, `seed-${seed}`), kind: "tune", needs: [choice], cell },
    undefined,
  );
  builder.cells.push({ node: { key: cell, chosen: true, tune: undefined, answers: [] } });
  return { ...open, needs: [id, choice] };
}

function addTuning(
  builder: Builder,
  at: ArmAt,
  seed: number,
  epochs: number,
  chosen: boolean,
  needs: readonly string[] = [],
): Asked {
  const { study } = builder.context;
  const longest = Math.max(...epochsOf(study, at.arm));
  const oneRun = study.epochs_from === "checkpoints" && epochsOf(study, at.arm).length > 1;
  const cell = { model: at.model, arm: at.name, seed, epochs };
  const id = path("tune", at.model, at.name, `seed-${seed}`, oneRun ? undefined : `epochs-${epochs}`);
  const made = builder.steps.find((step) => step.id === id);
  const planned = planTuning(builder, at, seed, oneRun ? longest : epochs, oneRun);
  const tune =
    made ?? builder.add({ id, kind: "tune", needs, cell: oneRun ? { ...cell, epochs: longest } : cell }, planned);
  const plan = present(tune.plan, "the plan of a tuning");
  const part = oneRun && epochs !== longest ? `/epoch-${epochs}` : "";
  const place = inStep(plan, `${resultNames.model}${part}`);
  builder.cells.push({ node: { key: cell, chosen, tune: { step: id, model: place }, answers: [] } });
  return { at, seed, epochs, place, identity: { tune: plan.key, part }, needs: [id] };
}

function planTuning(builder: Builder, at: ArmAt, seed: number, epochs: number, saveEveryEpoch: boolean): Planned {
  const { context } = builder;
  const { study, inputs } = context;
  const { arm } = at;
  invariant(isTuned(arm), `${at.name} is not tuned`);
  const settings = { ...study.tune, ...study.models[at.model]?.tune, ...arm.tune };
  const { checkpoint_every: _, limit, ...determining } = settings;
  const [model, data] = [inputs.get("model", at.model), inputs.get("data", arm.data)];
  const objective = arm.kind === "response" ? "response" : "instruction";
  const template = templateOf(context, arm);
  return {
    work: {
      kind: "tune",
      model: { outside: model.spec },
      data: data.spec,
      objective,
      template,
      settings,
      seed,
      epochs,
      saveEveryEpoch,
    },
    request: {
      model: { sha256: model.hash },
      data: file(data, limit),
      objective,
      template,
      settings: determining,
      seed,
      epochs,
      every_epoch: saveEveryEpoch,
    },
  };
}

interface Questions {
  readonly prompts: string;
  readonly limit: Limit | undefined;
  /** What differs from the study's generation. */
  readonly settings: Arm["generation"];
}

function addGeneration(builder: Builder, asked: Asked, split: "test" | "validation", questions: Questions): Step {
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

function noteAnswers(builder: Builder, asked: Asked, split: "test" | "validation", step: string): void {
  const same = ({ node: { key } }: CellDraft): boolean =>
    key.model === asked.at.model && key.arm === asked.at.name && key.seed === asked.seed && key.epochs === asked.epochs;
  builder.cells.find(same)?.node.answers.push({ split, step });
}

/** Measures every model of the sweep on the validation set, and chooses. */
function addChoice(builder: Builder, at: ArmAt, swept: readonly Asked[]): Step {
  const { selection } = builder.context.study;
  invariant(selection !== undefined, "a choice without a selection");
  const measured = swept.map((asked) => {
    const step = selection.measure === "loss" ? addLoss(builder, asked) : addValidationVerdicts(builder, asked);
    const plan = present(step.plan, step.id);
    const name = selection.measure === "loss" ? resultNames.scores : resultNames.annotations;
    return { step, key: plan.key, epochs: asked.epochs ?? 0, seed: asked.seed ?? 0, file: inStep(plan, name) };
  });
  const { measure } = selection;
  return builder.add(
    {
      id: path("choose", at.model, at.name),
      kind: "choose",
      needs: measured.map(({ step }) => step.id),
      cell: undefined,
    },
    {
      work: {
        kind: "choose",
        model: at.model,
        arm: at.name,
        choose: { measure, measured: measured.map(({ epochs, seed, file: place }) => ({ epochs, seed, file: place })) },
      },
      request: {
        model: at.model,
        arm: at.name,
        measure,
        measured: measured.map(({ epochs, seed, key }) => ({ epochs, seed, key })),
      },
    },
  );
}

function addLoss(builder: Builder, asked: Asked): Step {
  const { context } = builder;
  const { selection } = context.study;
  invariant(selection?.measure === "loss" && asked.place !== undefined, "a loss of nothing");
  const data = context.inputs.get("data", selection.data);
  const template = templateOf(context, asked.at.arm);
  return builder.add(
    {
      id: path("score", "validation", asked.at.model, asked.at.name, seedPart(asked.seed), epochsPart(asked.epochs)),
      kind: "score",
      needs: asked.needs,
      cell: { model: asked.at.model, arm: asked.at.name, seed: asked.seed, epochs: asked.epochs },
    },
    {
      work: { kind: "score", model: asked.place, data: data.spec, limit: selection.limit, template },
      request: { model: asked.identity, data: file(data, selection.limit), template },
    },
  );
}

function addValidationVerdicts(builder: Builder, asked: Asked): Step {
  const { inputs, study } = builder.context;
  const { selection } = study;
  invariant(selection?.measure === "win_rate", "a win rate that was not asked for");
  const { prompts, limit } = selection;
  const answers = addGeneration(builder, asked, "validation", {
    prompts,
    limit,
    settings: { ...asked.at.arm.generation, ...selection.generation },
  });
  noteAnswers(builder, asked, "validation", answers.id);
  const plan = present(answers.plan, answers.id);
  const [judge, baseline] = [inputs.get("judge", "judge"), inputs.get("data", selection.baseline)];
  return builder.add(
    {
      id: path("judge", "validation", asked.at.model, asked.at.name, seedPart(asked.seed), epochsPart(asked.epochs)),
      kind: "judge",
      needs: [answers.id],
      cell: { model: asked.at.model, arm: asked.at.name, seed: asked.seed, epochs: asked.epochs },
    },
    {
      work: {
        kind: "judge",
        judge: judge.spec,
        outputs: inStep(plan, resultNames.outputs),
        baseline: { outside: baseline.path },
      },
      request: { judge: judge.hash, outputs: plan.key, baseline: file(baseline) },
    },
  );
}

function addComparisons(builder: Builder): void {
  const { study } = builder.context;
  for (const { arm: arms, against } of study.comparisons) {
    for (const name of armsOf(arms)) {
      const arm = present(study.arms[name], name);
      if (study.judge === null) {
        builder.leftOut.push({ what: `${name} against ${against}`, reason: "no judge was named (--judge FILE)" });
        continue;
      }
      for (const model of modelsOf(study, arm)) addComparison(builder, model, name, against);
    }
  }
}

const ofSeed = (finals: readonly Asked[], seed: number | null): Asked =>
  present(
    finals.find((one) => one.seed === seed || one.seed === null),
    `seed ${seed}`,
  );

function addComparison(builder: Builder, model: string, name: string, against: string): void {
  const { context, finals } = builder;
  const mine = present(finals.get(armKey(model, name)), name);
  const theirs = present(finals.get(armKey(model, against)), against);
  const seeds = mine.some(({ seed }) => seed !== null) ? mine : theirs; // where one side has no seeds, the other's count
  const pairs = seeds.map(({ seed }) => {
    const [one, other] = [ofSeed(mine, seed), ofSeed(theirs, seed)];
    return { seed, one, other, judge: addVerdicts(builder, seed, one, other) };
  });
  const plans = pairs.map(({ judge }) => judge.plan);
  const work = {
    model,
    arm: name,
    against,
    pairs: pairs.map(({ one, other, judge }) => ({
      seed: one.seed,
      epochs: one.epochs,
      againstSeed: other.seed,
      againstEpochs: other.epochs,
      annotations: judge.plan === undefined ? { inside: "" } : inStep(judge.plan, resultNames.annotations),
    })),
    lengthControl: lengthControl(context),
    published: context.study.arms[name]?.published,
  };
  const open = plans.includes(undefined);
  builder.add(
    {
      id: path("compare", model, `${name}-against-${against}`),
      kind: "compare",
      needs: pairs.map(({ judge }) => judge.id),
      cell: undefined,
    },
    open ? undefined : { work: { kind: "compare", compare: work }, request: compareRequest(context, work, plans) },
  );
}

function lengthControl({ study, inputs }: GraphContext) {
  const { fit, data } = study.length_control;
  return { fit, data: data === undefined ? undefined : inputs.get("length-control", "length-control").spec };
}

function compareRequest(
  { study, inputs }: GraphContext,
  work: Extract<StepWork, { kind: "compare" }>["compare"],
  plans: readonly (StepPlan | undefined)[],
): Record<string, unknown> {
  const { pairs, lengthControl: control, ...names } = work;
  const data = study.length_control.data === undefined ? null : inputs.get("length-control", "length-control").hash;
  return {
    ...names,
    pairs: pairs.map(({ annotations: _, ...pair }, i) => ({ ...pair, judge: plans[i]?.key })),
    length_control: { fit: control.fit ?? null, data },
  };
}

function addVerdicts(builder: Builder, seed: number | null, one: Asked, other: Asked): Step {
  const answersOf = ({ at, seed: own }: Asked): Step => {
    const id = path("generate", "test", at.model, at.name, seedPart(own));
    return present(
      builder.steps.find((step) => step.id === id),
      id,
    );
  };
  const [outputs, baseline] = [answersOf(one), answersOf(other)];
  const judge = builder.context.inputs.get("judge", "judge");
  const planned =
    outputs.plan === undefined || baseline.plan === undefined
      ? undefined
      : {
          work: {
            kind: "judge" as const,
            judge: judge.spec,
            outputs: inStep(outputs.plan, resultNames.outputs),
            baseline: inStep(baseline.plan, resultNames.outputs),
          },
          request: { judge: judge.hash, outputs: outputs.plan.key, baseline: baseline.plan.key },
        };
  return builder.add(
    {
      id: path("judge", "test", one.at.model, `${one.at.name}-against-${other.at.name}`, seedPart(seed)),
      kind: "judge",
      needs: [outputs.id, baseline.id],
      cell: { model: one.at.model, arm: one.at.name, seed: one.seed, epochs: one.epochs },
    },
    planned,
  );
}

function addAnalyses(builder: Builder): void {
  const { study } = builder.context;
  for (const analysis of study.analyses) {
    for (const [name, arm] of Object.entries(study.arms)) {
      if (analysis.kind === "ranking" ? !ranks(study, analysis.arms, name) : !resembles(analysis.arms, name, arm))
        continue;
      for (const model of modelsOf(study, arm)) {
        for (const asked of builder.finals.get(armKey(model, name)) ?? []) {
          if (analysis.kind === "ranking") addRanking(builder, asked, analysis);
          else addSimilarity(builder, asked, analysis);
        }
      }
    }
  }
}

type Analysis<K> = Extract<Study["analyses"][number], { kind: K }>;

/** Without a list: every tuned arm, and the first untuned one. */
function ranks(study: Study, arms: readonly string[] | undefined, name: string): boolean {
  if (arms !== undefined) return arms.includes(name);
  const arm = present(study.arms[name], name);
  const firstUntuned = Object.entries(study.arms).find(([, one]) => one.kind === "untuned")?.[0];
  return isTuned(arm) || name === firstUntuned;
}

const resembles = (arms: readonly string[] | undefined, name: string, arm: Arm): boolean =>
  arms?.includes(name) ?? arm.kind === "single-task";

function addRanking(builder: Builder, asked: Asked, analysis: Analysis<"ranking">): void {
  const { context } = builder;
  const data = context.inputs.get("data", analysis.data);
  const template = templateOf(context, asked.at.arm);
  const { against, limit, seed, max_length: maxLength } = analysis;
  const settings = { against, limit, seed, maxLength };
  builder.add(
    {
      id: path("rank", analysis.name, asked.at.model, asked.at.name, seedPart(asked.seed)),
      kind: "rank",
      needs: asked.needs,
      cell: { model: asked.at.model, arm: asked.at.name, seed: asked.seed, epochs: asked.epochs },
    },
    asked.place === undefined
      ? undefined
      : {
          work: { kind: "rank", model: asked.place, data: data.spec, template, settings },
          request: { model: asked.identity, data: file(data), template, settings },
        },
  );
}

function addSimilarity(builder: Builder, asked: Asked, analysis: Analysis<"similarity">): void {
  const { inputs } = builder.context;
  const { name, arm, model } = asked.at;
  const answers = builder.steps.find(({ id }) => id === path("generate", "test", model, name, seedPart(asked.seed)));
  const task = analysis.task ?? (isTuned(arm) ? arm.data : undefined);
  if (answers === undefined || task === undefined || analysis.encoder === undefined) {
    const lacking =
      analysis.encoder === undefined ? "no encoder was named (--encoder DIR)" : "it has no answers, or no task";
    const what = `${analysis.name} of ${path(name, seedPart(asked.seed))}`;
    builder.leftOut.push({ what, reason: lacking });
    return;
  }
  const taskData = inputs.get("data", task);
  const reference = analysis.reference === undefined ? undefined : inputs.get("data", analysis.reference);
  const encoder = inputs.all.find((input) => input.role === "encoder" && input.name === analysis.name);
  const identity = encoder?.hash ?? analysis.encoder;
  const { pooling, prefix, limit, statistic } = analysis;
  const settings = { pooling, prefix, limit, statistic };
  const id = path("similarity", analysis.name, model, name, seedPart(asked.seed));
  const cell = { model, arm: name, seed: asked.seed, epochs: asked.epochs };
  const planned = (outputs: StepPlan): Planned => ({
    work: {
      kind: "similarity",
      similarity: {
        encoder: encoder?.spec ?? analysis.encoder ?? "",
        ...settings,
        outputs: inStep(outputs, resultNames.outputs),
        task: taskData.spec,
        reference: reference?.spec,
        cache: { inside: `embeddings/${sha256(identity).slice(0, 16)}.jsonl` },
      },
    },
    request: {
      encoder: identity,
      settings,
      outputs: outputs.key,
      task: file(taskData),
      reference: reference === undefined ? null : file(reference),
    },
  });
  builder.add(
    { id, kind: "similarity", needs: [answers.id], cell },
    answers.plan === undefined ? undefined : planned(answers.plan),
  );
}
