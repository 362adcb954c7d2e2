/**
 * Server-sent events of a completion, put together as the completion that was asked for. Some gateways stream whatever the request says.
 * May not know: what a reply means.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html and https://platform.openai.com/docs/api-reference/chat-streaming
 */

import { type Fields, fieldsOf, isReasoningPart, reasoningFields, saysSomething, textOfContent } from "./parts.js";

export type Assembled =
  | { readonly kind: "whole"; readonly value: unknown }
  | { readonly kind: "broken"; readonly reason: string };

/** No JSON begins so. */
export const looksLikeEvents = (text: string): boolean =>
  /^\uFEFF?\s*(?::[^\n]*\r?\n\s*)*(?:data|event|id|retry)\s?:/.test(text.slice(0, 4096));

interface Choice {
  content: string;
  refusal: string;
  text: string | undefined;
  finish: unknown;
  error: unknown;
  /** Lists by their name: `content`, or those of the older API. */
  readonly logprobs: Map<string, unknown[]>;
  /** By field; texts are put together, lists too. */
  readonly reasoning: Map<string, string | unknown[]>;
}

/** @param parse  one event's data as a value; undefined where it is not JSON */
export function assembleEvents(text: string, parse: (data: string) => unknown): Assembled {
  const choice: Choice = {
    content: "",
    refusal: "",
    text: undefined,
    finish: null,
    error: undefined,
    logprobs: new Map(),
    reasoning: new Map(),
  };
  let usage: unknown;
  let model: unknown;
  let done = false;
  let chunks = 0;
  let began = false;
  for (const data of eventsOf(text)) {
    if (data.trim() === "[DONE]") {
      done = true;
      continue;
    }
    const chunk = fieldsOf(parse(data));
    if (chunk === undefined) return { kind: "broken", reason: "an event of the stream is not JSON" };
    // What was said before an error is kept beside it where it had come to its end.
    if (saysSomething(chunk.error))
      return {
        kind: "whole",
        value: choice.finish === null ? chunk : { ...chunk, model, choices: [completed(choice)], usage },
      };
    chunks++;
    usage = chunk.usage ?? usage;
    model = chunk.model ?? model;
    const choices: readonly unknown[] = Array.isArray(chunk.choices) ? chunk.choices : [];
    for (const one of choices) {
      began = true;
      take(choice, fieldsOf(one) ?? {});
    }
  }
  if (chunks === 0) return { kind: "broken", reason: "the stream holds no events" };
  if (!done && choice.finish === null) return { kind: "broken", reason: "the stream broke off" };
  return { kind: "whole", value: { model, choices: began ? [completed(choice)] : [], usage } };
}

/** The data of each event: its lines together, comments and other fields left out. */
function* eventsOf(text: string): Generator<string> {
  let lines: string[] = [];
  for (const line of text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/)) {
    if (line === "" && lines.length > 0) {
      yield lines.join("\n");
      lines = [];
    } else if (/^\s*data\s?:/.test(line)) {
      const data = line.slice(line.indexOf(":") + 1).replace(/^ /, "");
      // Gateways that leave the empty line between events out still send one event a line.
      if (lines.length > 0 && /^\s*(?:\{|\[DONE\])/.test(data)) {
        yield lines.join("\n");
        lines = [];
      }
      lines.push(data);
    }
  }
  if (lines.length > 0) yield lines.join("\n");
}

/** Of the first choice alone: nobody asks for several. */
function take(choice: Choice, one: Fields): void {
  if (one.index !== undefined && one.index !== 0) return;
  const delta = fieldsOf(one.delta) ?? fieldsOf(one.message) ?? {};
  choice.content += textOfContent(delta.content);
  if (typeof delta.refusal === "string") choice.refusal += delta.refusal;
  if (typeof one.text === "string") choice.text = (choice.text ?? "") + one.text;
  choice.finish = one.finish_reason ?? choice.finish;
  if (saysSomething(one.error)) choice.error = one.error;
  const parts = Array.isArray(delta.content) ? (delta.content as unknown[]).filter(isReasoningPart) : [];
  for (const [name, value] of reasoningFields(delta)) addReasoning(choice, name, value);
  if (parts.length > 0) addReasoning(choice, "reasoning_details", parts);
  for (const [name, list] of Object.entries(fieldsOf(one.logprobs) ?? {})) {
    if (!Array.isArray(list)) continue;
    const before = choice.logprobs.get(name) ?? [];
    for (const item of list as unknown[]) before.push(item);
    choice.logprobs.set(name, before);
  }
}

function addReasoning({ reasoning }: Choice, name: string, value: unknown): void {
  const before = reasoning.get(name);
  if (typeof value === "string") {
    if (!Array.isArray(before)) reasoning.set(name, (before ?? "") + value);
    return;
  }
  const list = Array.isArray(before) ? before : [];
  for (const item of Array.isArray(value) ? (value as unknown[]) : [value]) list.push(item);
  reasoning.set(name, list);
}

function completed({ content, refusal, text, finish, error, logprobs, reasoning }: Choice): object {
  const weighed = logprobs.size === 0 ? null : Object.fromEntries(logprobs);
  const common = { index: 0, finish_reason: finish, logprobs: weighed, ...(error === undefined ? {} : { error }) };
  if (text !== undefined) return { ...common, text };
  const more = { ...Object.fromEntries(reasoning), ...(refusal === "" ? {} : { refusal }) };
  return { ...common, message: { role: "assistant", content, ...more } };
}
