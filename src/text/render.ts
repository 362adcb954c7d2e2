/**
 * Dialogue to ids and loss mask: the only place where it is decided which tokens carry loss. Training, scoring and
 * generation all call it, so that a model sees in use what it saw in training.
 * May not know: tensors, data sets, files.
 * See docs/decisions/mask.md for the choices and what lost.
 */

import type { Template } from "../options/template.js";
import type { Example } from "../records/example.js";
import { IGNORE, type Row } from "../records/row.js";
import { UserError } from "../util/errors.js";
import { option, words } from "../util/words.js";
import { openingText, promptText } from "./template.js";
import type { TextModel, Tokenizer } from "./tokenizer.js";
import { trimWhiteSpace } from "./unicode.js";

/** `auto`: the tokenizer's own, or OLMo's EOS; `always`: also one that only a config names; `never`: none. */
export type BosChoice = "auto" | "always" | "never";
export type Objective = "instruction" | "response";

export interface PromptOptions {
  readonly bos?: BosChoice;
  /** Trim Unicode white space at both ends of each message; default true (reading `reference` generates without). */
  readonly trim?: boolean;
}

export interface RenderOptions extends PromptOptions {
  /** `response` replaces every user message by the empty string; default `instruction`. */
  readonly objective?: Objective;
  /** Ids a row may have; the rest is cut off on the right. Absent: never cut. */
  readonly maxLength?: number;
}

/** What a model is given to answer. */
export interface RenderedPrompt {
  readonly promptIds: readonly number[];
  /** `promptIds` after BOS and `<|user|>\n`: what the diversity rule counts where its scope is the conversation. */
  readonly conversationIds: readonly number[];
}

/**
 * The id in front of every row, or undefined.
 * @throws UserError  `always`, and neither tokenizer nor config knows one
 */
export function bosOf(model: TextModel, choice: BosChoice = "auto"): number | undefined {
  if (choice === "never") return undefined;
  const own = model.bosId ?? (model.modelType === "olmo" ? model.eosId : undefined);
  if (choice === "auto" || own !== undefined) return own;
  if (model.declaredBosId !== undefined) return model.declaredBosId;
  throw new UserError(
    words`${option("bos", "always")}: neither tokenizer.json nor a config of this model names a BOS token`,
    {
      remedy: words`pass ${option("bos", "auto")}, or name bos_token in tokenizer_config.json`,
    },
  );
}

/** The ids of `{BOS}<|user|>\n{instruction}\n<|assistant|>\n`. */
export function renderPrompt(
  model: TextModel,
  template: Template,
  instruction: string,
  options: PromptOptions = {},
): RenderedPrompt {
  const bos = bosIds(model, options.bos);
  const ids = plain(model.tokenizer, promptText(template, trimmed(instruction, options), "first"));
  const opening = plain(model.tokenizer, openingText(template));
  // Where the tokenizer joins the opening with the instruction, only the ids that both agree on are left out.
  const start = commonPrefix(opening, ids);
  return { promptIds: [...bos, ...ids], conversationIds: ids.slice(start) };
}

/** The ids of a later turn up to its response: a piece of its own, without BOS, behind the EOS of the response before. */
export function renderLaterPrompt(
  model: TextModel,
  template: Template,
  instruction: string,
  options: Pick<PromptOptions, "trim"> = {},
): readonly number[] {
  return plain(model.tokenizer, promptText(template, trimmed(instruction, options), "later"));
}

/** Text as it is, without a template, behind BOS. */
export function renderRaw(model: TextModel, text: string, options: Pick<PromptOptions, "bos"> = {}): RenderedPrompt {
  const ids = plain(model.tokenizer, text);
  return { promptIds: [...bosIds(model, options.bos), ...ids], conversationIds: ids };
}

/**
 * One instruction and one response for scoring: the response's ids end with EOS unless `eos` is false.
 */
export function renderPair(
  model: TextModel,
  template: Template,
  pair: { readonly instruction: string; readonly response: string },
  options: PromptOptions & { readonly eos?: boolean } = {},
): { readonly promptIds: readonly number[]; readonly responseIds: readonly number[]; readonly merged: boolean } {
  const prompt = promptText(template, trimmed(pair.instruction, options), "first");
  const turn = turnIds(model.tokenizer, prompt, trimmed(pair.response, options));
  return {
    promptIds: [...bosIds(model, options.bos), ...turn.prompt],
    responseIds: options.eos === false ? turn.response : [...turn.response, model.eosId],
    merged: turn.merged,
  };
}

/**
 * One row for training: every response and its EOS carry loss, nothing else does. A row cut inside its first prompt has
 * no label left; `renderRows` refuses or skips those.
 *
 * @throws UserError  messages do not alternate, user first, assistant last
 */
export function renderExample(
  model: TextModel,
  template: Template,
  example: Example,
  options: RenderOptions = {},
): Row {
  checkTurns(example);
  const inputIds: number[] = [...bosIds(model, options.bos)];
  const labels: number[] = inputIds.map(() => IGNORE);
  let promptTokens = 0;
  let merged = false;
  for (let i = 0; i < example.messages.length; i += 2) {
    const instruction = options.objective === "response" ? "" : (example.messages[i]?.content ?? "");
    const prompt = promptText(template, trimmed(instruction, options), i === 0 ? "first" : "later");
    const turn = turnIds(model.tokenizer, prompt, trimmed(example.messages[i + 1]?.content ?? "", options));
    for (const id of turn.prompt) {
      inputIds.push(id);
      labels.push(IGNORE);
    }
    if (i === 0) promptTokens = inputIds.length;
    for (const id of [...turn.response, model.eosId]) {
      inputIds.push(id);
      labels.push(id);
    }
    merged ||= turn.merged;
  }
  const limit = options.maxLength ?? Number.POSITIVE_INFINITY;
  return {
    id: example.id,
    inputIds: inputIds.slice(0, limit),
    labels: labels.slice(0, limit),
    promptTokens: Math.min(promptTokens, limit),
    merged,
    cut: inputIds.length > limit,
  };
}

/** How many tokens of a row carry loss. */
export function supervisedTokens(row: Row): number {
  let count = 0;
  for (const label of row.labels) if (label !== IGNORE) count += 1;
  return count;
}

/**
 * Prompt and response encoded as one text, so that training sees what generation sees. Where the tokenizer joins the two
 * at their border, the prompt's ids stay and the response is encoded as text that continues it.
 */
function turnIds(tokenizer: Tokenizer, prompt: string, response: string) {
  const promptIds = plain(tokenizer, prompt);
  const whole = plain(tokenizer, prompt + response);
  if (commonPrefix(promptIds, whole) === promptIds.length) {
    return { prompt: promptIds, response: whole.slice(promptIds.length), merged: false };
  }
  const continued = tokenizer.encode(response, { special: false, plainText: true, continued: true });
  return { prompt: promptIds, response: continued, merged: true };
}

/** Text only: no BOS from the post-processor, no control token from the text. */
const plain = (tokenizer: Tokenizer, text: string): number[] =>
  tokenizer.encode(text, { special: false, plainText: true });

function bosIds(model: TextModel, choice: BosChoice | undefined): readonly number[] {
  const bos = bosOf(model, choice);
  return bos === undefined ? [] : [bos];
}

const trimmed = (text: string, options: PromptOptions): string =>
  options.trim === false ? text : trimWhiteSpace(text);

function commonPrefix(a: readonly number[], b: readonly number[]): number {
  let n = 0;
  while (n < a.length && n < b.length && a[n] === b[n]) n += 1;
  return n;
}

function checkTurns(example: Example): void {
  const { messages } = example;
  const alternate = messages.every((message, i) => message.role === (i % 2 === 0 ? "user" : "assistant"));
  if (messages.length > 0 && messages.length % 2 === 0 && alternate) return;
  const roles = messages.map((message) => message.role).join(", ") || "none";
  throw new UserError(`row ${example.id}: the roles are ${roles}`, {
    remedy: "messages must alternate, user first, assistant last",
  });
}
