/**
 * What an analysis of a study is: one definition a kind, in `analyses/`, from which its steps in the graph follow.
 * May not know: which kinds there are.
 */

import type { StepKind } from "../../records/study.js";
import type { Arm, Study } from "../../records/study-file.js";
import type { StepWork } from "../steps.js";
import type { FinalModel, GraphContext } from "./graph-builder.js";

export interface AnalysisDefinition<Analysis> {
  /** What it takes for each model of an arm. */
  readonly step: StepKind;
  /** The study's data that it names, each under its key. */
  data(analysis: Analysis): readonly { readonly key: string; readonly name: string }[];
  /** Whether it is of this arm, where it names none. */
  takes(study: Study, name: string): boolean;
  /** Why it cannot be of an arm that it names. */
  refuses(arm: Arm): string | undefined;
  /** The encoder's folder or address, for kinds that have one. */
  encoder(analysis: Analysis): string | undefined;
  withEncoder(analysis: Analysis, encoder: string): Analysis;
  /** The step of one model. */
  plan(analysis: Analysis, model: FinalModel, context: GraphContext): AnalysisPlan;
}

export type AnalysisPlan =
  /** `work` is undefined where it is not known before a choice of epochs. */
  | { readonly needs: readonly string[]; readonly work: StepWork | undefined }
  /** Why there is no such step. */
  | { readonly lacking: string };
