/**
 * The kinds of steps that a study has. Everything else asks this table; a kind that is missing, or one of its parts, does not compile.
 * May not know: the graph, files.
 */
import type { CellKey, StepKind, StudyRecord } from "../records/study.js";
import { sha256 } from "../util/files.js";
import type { Source, StepDefinition } from "./step.js";
import { type ChooseWork, chooseStep } from "./steps/choose.js";
import { type CompareWork, compareStep } from "./steps/compare.js";
import { type GenerateWork, generateStep } from "./steps/generate.js";
import { type JudgeWork, judgeStep } from "./steps/judge.js";
import { type RankWork, rankStep } from "./steps/rank.js";
import { type ScoreWork, scoreStep } from "./steps/score.js";
import { type SimilarityWork, similarityStep } from "./steps/similarity.js";
import { type TuneWork, tuneStep } from "./steps/tune.js";

interface Works {
  readonly choose: ChooseWork;
  readonly compare: CompareWork;
  readonly judge: JudgeWork;
  readonly generate: GenerateWork;
  readonly score: ScoreWork;
  readonly tune: TuneWork;
  readonly similarity: SimilarityWork;
  readonly rank: RankWork;
}
/** What a step asks of a function in `src/steps`. */
export type StepWork = Works[StepKind];

/**
 * In the order in which they begin where several may: answers come before tuning, so that the judge has something to do meanwhile;
 * analyses come last.
 */
export const studySteps: { readonly [K in StepKind]: StepDefinition<Works[K]> } = {
  choose: chooseStep,
  compare: compareStep,
  judge: judgeStep,
  generate: generateStep,
  score: scoreStep,
  tune: tuneStep,
  similarity: similarityStep,
  rank: rankStep,
};

/** The definition of a kind, to be asked with works of that kind. */
export const definitionOf = <K extends StepKind>(kind: K): StepDefinition<Works[K]> => studySteps[kind];

const ORDER = Object.keys(studySteps);
export const beginsBefore = (one: StepKind, other: StepKind): number => ORDER.indexOf(one) - ORDER.indexOf(other);

/** What a step is called: its id is made of these, and nobody reads them out of it. */
export interface StepName {
  readonly kind: StepKind;
  /** The split that is answered, or the analysis. */
  readonly of?: string;
  readonly model: string;
  readonly arm: string;
  readonly against?: string;
  readonly seed?: number | null;
  readonly epochs?: number | null;
}

/** Stable and readable: `tune/base/response/seed-1/epochs-5`. */
export function idOf({ seed, epochs, ...name }: StepName): string {
  const numbers = [seed == null ? [] : `seed-${seed}`, epochs == null ? [] : `epochs-${epochs}`].flat();
  return [groupOf(name), ...numbers].join("/");
}

/** The id without seed and epochs. */
export const groupOf = ({ kind, of, model, arm, against }: StepName): string =>
  [kind, of ?? [], model, against === undefined ? arm : `${arm}-against-${against}`].flat().join("/");

export interface Step {
  readonly id: string;
  readonly name: StepName;
  readonly kind: StepKind;
  /** Ids of the steps whose results it reads. */
  readonly needs: readonly string[];
  /** What it belongs to; epochs are null while they are not chosen. */
  readonly cell: CellKey | undefined;
  /** Absent while an epoch that it depends on is not chosen. */
  readonly plan: StepPlan | undefined;
}

export interface StepPlan {
  readonly work: StepWork;
  /** Everything that determines the result, as plain data: recorded, and hashed into the key. */
  readonly request: Readonly<Record<string, unknown>>;
  readonly key: string;
  /** In the study's folder: `steps/tune-3fa9c1d2e4b5f607`. */
  readonly folder: string;
}

/** What else decides every result: the package's version, and for what is computed the settings of the study. */
export type StepSettings = Readonly<StudyRecord["settings"]> & { readonly tacit: string };

export function planStep(work: StepWork, { tacit, ...settings }: StepSettings): StepPlan {
  const { lane, request } = definitionOf(work.kind);
  const common = lane === "computing" ? { tacit, ...settings } : { tacit };
  // Through JSON, so that what is hashed is what is recorded: keys without a value are gone.
  const plain = JSON.parse(JSON.stringify({ ...common, ...request(work) })) as Record<string, unknown>;
  const key = keyOf(work.kind, plain);
  return { work, request: plain, key, folder: folderOf(work.kind, key) };
}

/** @param request  as it is recorded */
export const keyOf = (kind: StepKind, request: Readonly<Record<string, unknown>>): string =>
  sha256(JSON.stringify([kind, request]));

/** Digits of a key in the name of a folder: 64 bits, so that no two steps ever meet. */
const KEY_DIGITS = 16;
export const folderOf = (kind: StepKind, key: string): string => `steps/${kind}-${key.slice(0, KEY_DIGITS)}`;

/** The kind of the step whose folder this is, by its name; undefined for other folders. */
export function kindOfFolder(folder: string): StepKind | undefined {
  const found = /(?:^|\/)([a-z]+)-[0-9a-f]{16}$/.exec(folder)?.[1];
  return (ORDER as StepKind[]).find((kind) => kind === found);
}

/** Where a step's result lies. */
export const resultOf = ({ folder, work }: StepPlan): { readonly inside: string } => ({
  inside: `${folder}/${definitionOf(work.kind).result}`,
});

/** A step's result, for the request of another one. */
export const sourceOf = (plan: StepPlan): Source => ({ at: resultOf(plan), is: plan.key });
