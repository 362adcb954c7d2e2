import { checkData as checkSpec, type DataCheck } from "./data/check.js";
import { collectExamples as collect, type LoadOptions, loadExamples as load } from "./data/load.js";
import type { LoadedExample } from "./data/record.js";
import { type DataSpec, parseDataSpec as parseSpec } from "./data/spec.js";
import type { Engine, EngineSpec } from "./engine/engine.js";
import { importModel as importFrom } from "./model-files/import.js";
import { inspectModel as inspect, type ModelInfo } from "./model-files/inspect.js";
import { type VerifySummary, verifyModel as verify } from "./model-files/verify.js";
import { dataLimit } from "./options/shared.js";
import type { Watch } from "./records/events.js";
import { type ReportOptions, report as writeReport } from "./report/report.js";
import { type AgreementOptions, agreement as agree } from "./steps/agreement.js";
import { type AnswerStream, chat as chatWith, type OneQuestion, openChat as open } from "./steps/chat.js";
import { explainRules as explain } from "./steps/explain-rules.js";
import { generate as generateWith } from "./steps/generate.js";
import { judge as judgeWith } from "./steps/judge.js";
import { openEngine as engineFrom } from "./steps/open-engine.js";
import { rank as rankWith } from "./steps/rank.js";
import { rephrase as rephraseWith } from "./steps/rephrase.js";
import * as requests from "./steps/requests.js";
import { score as scoreWith } from "./steps/score.js";
import { similarity as similarityOf } from "./steps/similarity.js";
import { tuneKinds } from "./steps/tune/options.js";
import { tune as tuneWith } from "./steps/tune.js";
import { winrate as winrateOf } from "./steps/winrate.js";
import * as studies from "./study/library.js";
import { loadTextModel as loadText } from "./text/load.js";
import type { TextModel } from "./text/tokenizer.js";
import { checkedCall, checkOptions, withUserErrors } from "./util/check-options.js";
import * as kinds from "./util/option-kinds.js";

const nothing = {};

/** Tunes all parameters of a model, on responses alone or on instructions and responses. */
export const tune = checkedCall("tune", tuneKinds, requests.watch, tuneWith);
/** Answers to instructions, under the model or under model and rules. */
export const generate = checkedCall("generate", requests.generateKinds, requests.watch, generateWith);
/** Log-probabilities of responses, in nats. */
export const score = checkedCall("score", requests.scoreKinds, requests.watch, scoreWith);
/** Whether right responses are more likely than others. */
export const rank = checkedCall("rank", requests.rankKinds, requests.watch, rankWith);
/** Verdicts on two sets of outputs. */
export const judge = checkedCall("judge", requests.judgeKinds, requests.watch, judgeWith);
/** Win rates, raw and length-controlled, with intervals and ledger. */
export const winrate = checkedCall("winrate", requests.winrateKinds, requests.watch, winrateOf);
/** How far judges and people agree. */
export const agreement = checkedCall("agreement", requests.agreementKinds, nothing, (options: AgreementOptions) =>
  agree(options),
);
/** Whether answers keep the style of what the model was tuned on. */
export const similarity = checkedCall("similarity", requests.similarityKinds, requests.watch, similarityOf);
/** Data without restated instructions. */
export const rephrase = checkedCall("rephrase", requests.rephraseKinds, requests.watch, rephraseWith);
/** A model directory out of a GGUF or llama2.c file. */
export const importModel = checkedCall("importModel", requests.importKinds, requests.watch, importFrom);
/** Which token each string of a rule file names in a model's vocabulary. */
export const explainRules = checkedCall("explainRules", requests.explainKinds, nothing, explain);
/** What computes, for several calls: pass it as their `engine`. Nothing is read before a model is opened. */
export function openEngine(spec: EngineSpec = {}): Engine {
  checkOptions("openEngine", requests.engineKinds, spec);
  return engineFrom(spec);
}
/** A model opened for several questions. */
export const openChat = checkedCall("openChat", requests.openChatKinds, requests.watch, open);

/** One question, whose answer comes in pieces; `answer` of the stream is the whole. */
export function chat(options: OneQuestion): AnswerStream {
  checkOptions("chat", requests.chatKinds, options);
  return chatWith(options);
}

/** What a model is, from its headers alone. */
export const inspectModel = (model: string): Promise<ModelInfo> =>
  withUserErrors(() => {
    checkOptions("inspectModel", { model: kinds.needed(kinds.text) }, { model });
    return inspect(model);
  });

/** Whether a model directory is whole: shapes, every value, tied matrices, tokenizer. */
export const verifyModel = (model: string, watch: Watch = {}): Promise<VerifySummary> =>
  withUserErrors(() => {
    checkOptions("verifyModel", { model: kinds.needed(kinds.text) }, { model });
    checkOptions("verifyModel, second argument", requests.watch, watch);
    return verify(model, watch);
  });

const parsed: kinds.Kind<DataSpec> = {
  wanted: "a spec as parseDataSpec gives it",
  holds: (value): value is DataSpec =>
    ["text", "dataSet", "path", "format"].every((key) => Object.hasOwn(Object(value), key)),
};
const spec = kinds.needed(kinds.either(kinds.text, parsed));
const limit = dataLimit.type;
const loading: kinds.KindsOf<LoadOptions> = {
  limit,
  prompts: kinds.either(kinds.flag, kinds.oneOf("auto")),
  report: kinds.record("a report"),
};

/** A spec, as commands take it, in its parts. */
export function parseDataSpec(text: string): DataSpec {
  checkOptions("parseDataSpec", { text: { ...kinds.anyText, needed: true } }, { text });
  return parseSpec(text);
}

/** What is in a data file; bad rows are shown and do not stop it. */
export const checkData = (data: DataSpec | string, options: Pick<LoadOptions, "limit"> = {}): Promise<DataCheck> =>
  withUserErrors(() => {
    checkOptions("checkData", { data: spec }, { data });
    checkOptions("checkData", { limit }, options);
    return checkSpec(typeof data === "string" ? parseSpec(data) : data, options);
  });

/** The examples of a data set, one after the other. */
export async function* loadExamples(
  data: DataSpec | string,
  options: LoadOptions = {},
): AsyncGenerator<LoadedExample, void, undefined> {
  checkOptions("loadExamples", { data: spec }, { data });
  checkOptions("loadExamples", loading, options);
  yield* load(data, options);
}

/** All examples, with the report of what was left out. */
export const collectExamples: typeof collect = (data, options = {}) =>
  withUserErrors(() => {
    checkOptions("collectExamples", { data: spec }, { data });
    checkOptions("collectExamples", loading, options);
    return collect(data, options);
  });

/** Tokenizer and end tokens of a model directory. */
export const loadTextModel = (model: string): Promise<TextModel> =>
  withUserErrors(() => {
    checkOptions("loadTextModel", { model: kinds.needed(kinds.text) }, { model });
    return loadText(model);
  });

/** The steps of a study with their states, and what the rest will take. */
export const planStudy = checkedCall("planStudy", studies.studyKinds, nothing, studies.planStudy);
/** Carries out what is not done yet. */
export const runStudy = checkedCall("runStudy", studies.runStudyKinds, studies.studyWatch, studies.runStudy);
/** Where a study stands. */
export const studyStatus = checkedCall("studyStatus", studies.studyKinds, nothing, studies.studyStatus);
/** The number of epochs that is best on a validation set. */
export const choose = checkedCall("choose", studies.chooseKinds, nothing, studies.choose);
/** One arm against another, over seeds. */
export const compare = checkedCall("compare", studies.compareKinds, nothing, studies.compare);
/** A study's folder as a page, Markdown, tables and figures. */
export const report = checkedCall(
  "report",
  { study: kinds.needed(kinds.text), out: kinds.needed(kinds.text), force: kinds.flag },
  nothing,
  (options: ReportOptions) => writeReport(options),
);

export type { BadRow, DataCheck } from "./data/check.js";
export type { Engine, EngineSpec } from "./engine/engine.js";
export type { Identity } from "./engine/identity.js";
export type { Capabilities, OpenedEncoder, OpenedModel, Plan } from "./engine/opened.js";
export type { StepMetrics } from "./engine/tuning.js";
export { checkers } from "./glasshouse/checker.js";
export type { CheckedAnswer, Checker, Checkers, CheckerVerdict } from "./judge/checker.js";
export type { ImportOptions, ImportSummary } from "./model-files/import.js";
export type { ModelInfo } from "./model-files/inspect.js";
export type { VerifySummary } from "./model-files/verify.js";
export { type Template, templateFrom } from "./options/template.js";
export type { AgreementSummary } from "./records/agreement.js";
export type { Annotation } from "./records/annotations.js";
export type { Certificate } from "./records/certificate.js";
export type { StepEvent, StepOutcome, Watch } from "./records/events.js";
export type { Example, Message } from "./records/example.js";
export type { JudgeInput } from "./records/judge-file.js";
export type { JudgeRun } from "./records/judge-run.js";
export type { GenerateRun, Output } from "./records/outputs.js";
export type { RankSummary } from "./records/rank.js";
export type { RephraseSummary } from "./records/rephrase.js";
export type { Row } from "./records/row.js";
export type { ScoreInput, ScoreOutput, ScoreRun } from "./records/scores.js";
export type { SimilarityPoint, SimilaritySummary } from "./records/similarity.js";
export type { Choice, ComparisonResult, StudyResults } from "./records/study.js";
export type { Study, StudyInput } from "./records/study-file.js";
export type { TuneRunRecord } from "./records/tune.js";
export type { WinrateSummary } from "./records/winrate.js";
export type { ReportOptions, ReportSummary } from "./report/report.js";
export type { AgreementOptions } from "./steps/agreement.js";
export type { AnswerStream, Chat, ChatOptions, OneQuestion, Reply } from "./steps/chat.js";
export type { ExplainOptions, RulesExplained } from "./steps/explain-rules.js";
export type { GenerateOptions, GenerateSummary } from "./steps/generate.js";
export type { PromptInput } from "./steps/generate-plan.js";
export type { JudgeOptions, JudgeSummary } from "./steps/judge.js";
export type { RankOptions } from "./steps/rank.js";
export { certifierFor, collectRows, type RenderRequest, renderRows, writeRows } from "./steps/render.js";
export type { RephraseOptions } from "./steps/rephrase.js";
export type { ScoreOptions, ScoreSummary } from "./steps/score.js";
export type { GivenOutput, SimilarityOptions } from "./steps/similarity.js";
export type { TuneRequest } from "./steps/tune.js";
export type { AnnotationSource, GivenAnnotation, WinrateOptions } from "./steps/winrate.js";
export type { ChooseOptions, CompareOptions, RunStudyRequest } from "./study/library.js";
export type { StudyRequest } from "./study/plan/flags.js";
export type { StudyPlan } from "./study/plan/plan.js";
export type { StudyWatch } from "./study/run/run.js";
export { renderExample, renderPair, renderPrompt } from "./text/render.js";
export type { TextModel, Tokenizer } from "./text/tokenizer.js";
export { Interrupted, InvariantError, UserError } from "./util/errors.js";
