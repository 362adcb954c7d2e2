/**
 * A step of a study: what is to be done, what determines its result, and the key and folder that follow from that.
 * May not know: how it is carried out.
 */

import type { LcChoice } from "../records/lc-models.js";
import type { CellKey, StepKind } from "../records/study.js";
import type { Study } from "../records/study-file.js";
import { sha256 } from "../util/files.js";

/** A file or folder: one from outside, or one that another step leaves, by its path in the study's folder. */
export type Place = { readonly outside: string } | { readonly inside: string };

export type TemplateSettings = Study["template"];
export type TuneSettings = Study["tune"];
export type GenerationSettings = Omit<NonNullable<Study["generation"]>, "prompts" | "limit">;
export type Limit = number | "all";

/** What a step asks of a function in `src/steps`. */
export type StepWork =
  | {
      readonly kind: "tune";
      readonly model: Place;
      readonly data: string;
      readonly objective: "instruction" | "response";
      readonly template: TemplateSettings;
      readonly settings: TuneSettings;
      readonly seed: number;
      readonly epochs: number;
      readonly saveEveryEpoch: boolean;
    }
  | {
      readonly kind: "generate";
      readonly model: Place;
      readonly prompts: string;
      readonly limit: Limit | undefined;
      readonly template: TemplateSettings;
      readonly settings: GenerationSettings;
      readonly rules: { readonly spec: string; readonly disable: readonly string[] } | undefined;
      readonly generator: string;
    }
  | {
      readonly kind: "score";
      readonly model: Place;
      readonly data: string;
      readonly limit: Limit | undefined;
      readonly template: TemplateSettings;
    }
  | { readonly kind: "judge"; readonly judge: string; readonly outputs: Place; readonly baseline: Place }
  | { readonly kind: "choose"; readonly model: string; readonly arm: string; readonly choose: ChooseWork }
  | { readonly kind: "compare"; readonly compare: CompareWork }
  | {
      readonly kind: "rank";
      readonly model: Place;
      readonly data: string;
      readonly template: TemplateSettings;
      readonly settings: RankSettings;
    }
  | { readonly kind: "similarity"; readonly similarity: SimilarityWork };

export interface RankSettings {
  readonly against?: number | undefined;
  readonly limit?: number | undefined;
  readonly seed?: number | undefined;
  readonly maxLength?: number | undefined;
}

export interface ChooseWork {
  readonly measure: "win_rate" | "loss";
  /** One for each number of epochs and seed: the annotations, or the scores. */
  readonly measured: readonly { readonly epochs: number; readonly seed: number; readonly file: Place }[];
}

export interface CompareWork {
  readonly model: string;
  readonly arm: string;
  readonly against: string;
  readonly pairs: readonly {
    readonly seed: number | null;
    readonly epochs: number | null;
    readonly againstSeed: number | null;
    readonly againstEpochs: number | null;
    readonly annotations: Place;
  }[];
  readonly lengthControl: {
    readonly fit: LcChoice | undefined;
    readonly data: string | undefined;
  };
  readonly published: Study["arms"][string]["published"];
}

export interface SimilarityWork {
  readonly encoder: string;
  readonly pooling: "mean" | "cls" | undefined;
  readonly prefix: string | undefined;
  readonly outputs: Place;
  readonly task: string;
  readonly reference: string | undefined;
  readonly statistic: "mean" | "max" | undefined;
  /** The ledger of embeddings that all steps with this encoder share. */
  readonly cache: Place;
  readonly limit: number | undefined;
}

export interface Step {
  readonly id: string;
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

/** Digits of a key in the name of a folder: 64 bits, so that no two steps ever meet. */
const KEY_DIGITS = 16;

export function planStep(work: StepWork, request: Readonly<Record<string, unknown>>): StepPlan {
  // Through JSON, so that what is hashed is what is recorded: keys without a value are gone.
  const plain = JSON.parse(JSON.stringify(request)) as Record<string, unknown>;
  const key = keyOf(work.kind, plain);
  return { work, request: plain, key, folder: folderOf(work.kind, key) };
}

export const folderOf = (kind: StepKind, key: string): string => `steps/${kind}-${key.slice(0, KEY_DIGITS)}`;

/** @param request  as it is recorded */
export const keyOf = (kind: StepKind, request: Readonly<Record<string, unknown>>): string =>
  sha256(JSON.stringify([kind, request]));

/** What a step reads of other steps. */
export function placesOf(work: StepWork): readonly string[] {
  const inside = (places: readonly Place[]): string[] =>
    places.flatMap((place) => ("inside" in place ? place.inside : []));
  switch (work.kind) {
    case "tune":
    case "generate":
    case "score":
    case "rank":
      return inside([work.model]);
    case "judge":
      return inside([work.outputs, work.baseline]);
    case "choose":
      return inside(work.choose.measured.map(({ file }) => file));
    case "compare":
      return inside(work.compare.pairs.map(({ annotations }) => annotations));
    case "similarity":
      return inside([work.similarity.outputs]);
    default:
      return work satisfies never;
  }
}

/** Where in a step's folder its results lie. */
export const resultNames = {
  model: "model",
  outputs: "outputs.json",
  scores: "scores.jsonl",
  judge: "judge",
  annotations: "judge/annotations.json",
  choice: "choice.json",
  comparison: "comparison.json",
  rank: "rank",
  similarity: "similarity",
} as const;

export const inStep = ({ folder }: StepPlan, name: string): Place => ({ inside: `${folder}/${name}` });

/** How much was done, for the estimates of the next like it. */
export interface Done {
  readonly work: number;
  readonly unit: string;
}

/** Of a record that an interrupted attempt left whole, and that is whole no more. */
export const UNREADABLE = "remove the step's folder: `tacit study run` then does it again";
