/**
 * What an engine is asked and what it answers: ids in, ids out.
 * May not know: models, texts.
 */
import type { ResolvedRules } from "../rules/rules.js";
import { UserError } from "../util/errors.js";

/** Of the weights of linear layers while they are computed with. */
export type Precision = "f32" | "q8";

export interface GenerateRequest {
  readonly id: string;
  readonly promptIds: readonly number[];
  /** Ids in use from the start where a rule's scope is the conversation. */
  readonly conversationIds: readonly number[];
}

export interface Decoding {
  readonly maxNewTokens: number;
  readonly stopIds: readonly number[];
  /** 0 is greedy. */
  readonly temperature: number;
  readonly seed: number;
  /** Prompts decoded side by side. */
  readonly batch: number;
  readonly rules?: ResolvedRules;
  /** Whether results say why each token was taken. */
  readonly trace?: boolean;
  /** Called with the request's index and each id as it is generated, the stop id left out. */
  readonly onToken?: (index: number, id: number) => void;
  readonly signal?: AbortSignal;
}

/** Why this token: log-probabilities and scores in nats. */
export interface TraceStep {
  readonly id: number;
  /** Under the model alone. */
  readonly baseLogprob: number;
  /** Under model and rules. */
  readonly logprob: number;
  /** What each kind of rule added to this token. */
  readonly scores: { readonly constant: number; readonly stop: number; readonly used: number };
  /** The best token that was not taken. */
  readonly runnerUp: { readonly id: number; readonly baseLogprob: number; readonly logprob: number };
}

export interface GenerateResult {
  readonly id: string;
  /** Generated ids, the stop id not among them. */
  readonly ids: readonly number[];
  readonly stop: "eos" | "length";
  /** One entry a step, the stop id's included. */
  readonly trace?: readonly TraceStep[];
}

export interface ScoreRequest {
  readonly id: string;
  readonly promptIds: readonly number[];
  readonly responseIds: readonly number[];
}

export interface ScoreResult {
  readonly id: string;
  /** Natural log-probability of each response id given everything before it. */
  readonly logprobs: Float32Array;
}

export interface Scoring {
  readonly signal?: AbortSignal | undefined;
}

export interface EmbedRequest {
  readonly id: string;
  /** As the encoder takes them, special ones included. */
  readonly ids: readonly number[];
}

export interface EmbedResult {
  readonly id: string;
  /** Pooled, not normalised: f32 [D]. */
  readonly vector: Float32Array;
}

/** The remedy where a model computes infinities or NaN. */
export const NOT_FINITE = "its weights overflow float32, or hold NaN or infinity";

/** Below this a distribution is its largest entry; logits divided by much less overflow. */
const LEAST_TEMPERATURE = 1e-6;

const number = new Float64Array(1);
const bits = new BigUint64Array(number.buffer);

/** By its bits: once ONNX Runtime has set the processor to take denormals as zero, 5e-324 === 0 holds here as well. */
function isZero(value: number): boolean {
  number[0] = value;
  return ((bits[0] ?? 0n) & 0x7fff_ffff_ffff_ffffn) === 0n;
}

/** @throws UserError  neither 0 nor one that single precision can divide by */
export function checkTemperature(temperature: number): void {
  if (isZero(temperature) || (temperature >= LEAST_TEMPERATURE && temperature < Number.POSITIVE_INFINITY)) return;
  throw new UserError(`the temperature is ${temperature}`, {
    remedy: `0 takes the most probable token; others begin at ${LEAST_TEMPERATURE}`,
  });
}

/** @throws UserError  no answer could end, a rule is about ids that the model has not, or the temperature is none */
export function checkOptions({ stopIds, rules, temperature }: Decoding, vocabSize: number): void {
  if (rules !== undefined) checkIds([rules.eosId, ...rules.constant.keys()], vocabSize, "a rule");
  if (stopIds.length > 0 && stopIds.every((id) => id >= vocabSize))
    checkIds(stopIds, vocabSize, "the end of an answer");
  checkTemperature(temperature);
}

/** @throws UserError  an id that the model has no embedding for */
export function checkIds(ids: readonly number[], vocabSize: number, where: string): void {
  const wrong = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= vocabSize);
  if (wrong === undefined) return;
  throw new UserError(`${where} has the id ${wrong}; the model's go from 0 to ${vocabSize - 1}`, {
    remedy: "check that the tokenizer is this model's",
  });
}
