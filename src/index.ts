/**
 * Tacit as a library: the functions that the command `tacit` itself calls. Each takes files or values and gives the record that
 * the command would write.
 *
 * @example
 * import { generate, score, tune } from "tacit-lm";
 * await tune({ model: "base", data: "rows.jsonl", objective: "response", out: "tuned" });
 * const { outputs } = await generate({ model: "tuned", prompts: [{ instruction: "Name three colours." }] });
 * const { scores } = await score({ model: "tuned", input: [{ instruction: "Name a colour.", response: "Blue." }] });
 */
export { collectExamples, loadExamples } from "./data/load.js";
export { parseDataSpec } from "./data/spec.js";
export { embeddedEngine } from "./engines/embedded.js";
export type { Capabilities, Engine, LoadedModel, StepMetrics } from "./engines/engine.js";
export { checkers } from "./glasshouse/checker.js";
export type { CheckedAnswer, Checker, Checkers, CheckerVerdict } from "./judge/checker.js";
export type { AgreementSummary } from "./records/agreement.js";
export type { Annotation } from "./records/annotations.js";
export type { Certificate } from "./records/certificate.js";
export type { Example, Message } from "./records/example.js";
export type { JudgeInput } from "./records/judge-file.js";
export type { JudgeRun } from "./records/judge-run.js";
export type { GenerateRun, Output } from "./records/outputs.js";
export type { RankSummary } from "./records/rank.js";
export type { RephraseSummary } from "./records/rephrase.js";
export type { Row } from "./records/row.js";
export type { ScoreInput, ScoreOutput, ScoreRun } from "./records/scores.js";
export type { SimilarityPoint, SimilaritySummary } from "./records/similarity.js";
export type { StudyResults } from "./records/study.js";
export type { Study } from "./records/study-file.js";
export type { TuneRunRecord } from "./records/tune.js";
export type { WinrateSummary } from "./records/winrate.js";
export { type ReportOptions, type ReportSummary, report } from "./report/report.js";
export { type AgreementOptions, agreement } from "./steps/agreement.js";
export { type GenerateOptions, type GenerateSummary, type GenerateWatch, generate } from "./steps/generate.js";
export type { PromptInput } from "./steps/generate-plan.js";
export { type ImportOptions, type ImportSummary, importModel } from "./steps/import-model.js";
export { type JudgeOptions, type JudgeSummary, type JudgeWatch, judge } from "./steps/judge.js";
export { type RankOptions, type RankWatch, rank } from "./steps/rank.js";
export { certifierFor, collectRows, type RenderRequest, renderRows, writeRows } from "./steps/render.js";
export { type RephraseOptions, type RephraseWatch, rephrase } from "./steps/rephrase.js";
export { type ScoreOptions, type ScoreSummary, type ScoreWatch, score } from "./steps/score.js";
export { type SimilarityOptions, type SimilarityWatch, similarity } from "./steps/similarity.js";
export { type TuneRequest, type TuneWatch, tune } from "./steps/tune.js";
export { type WinrateOptions, type WinrateWatch, winrate } from "./steps/winrate.js";
export type { StudyRequest } from "./study/flags.js";
export { planStudy, type RunStudyRequest, runStudy, studyStatus } from "./study/library.js";
export type { StudyPlan } from "./study/plan.js";
export type { RunWatch as StudyWatch } from "./study/run.js";
export { loadTextModel } from "./text/load.js";
export { renderExample, renderPair, renderPrompt } from "./text/render.js";
export { type Template, templateFrom } from "./text/template.js";
export type { TextModel, Tokenizer } from "./text/tokenizer.js";
export { Interrupted, InvariantError, UserError } from "./util/errors.js";
