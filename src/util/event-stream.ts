/**
 * Server-sent events of a completion, put together as the completion that was asked for. Some gateways stream whatever the request says.
 * May not know: what a reply means.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html and https://platform.openai.com/docs/api-reference/chat-streaming
 */

export type Assembled =
  | { readonly kind: "whole"; readonly value: unknown }
  | { readonly kind: "broken"; readonly reason: string };

/** No JSON begins so. */
export const looksLikeEvents = (text: string): boolean =>
  /^\uFEFF?\s*(?::[^\n]*\r?\n\s*)*(?:data|event|id|retry)\s?:/.test(text.slice(0, 4096));

type Fields = Readonly<Record<string, unknown>>;

interface Choice {
  content: string;
  refusal: string;
  text: string | undefined;
  finish: unknown;
  readonly logprobs: unknown[];
}

/** @param parse  one event's data as a value; undefined where it is not JSON */
export function assembleEvents(text: string, parse: (data: string) => unknown): Assembled {
  const choice: Choice = { content: "", refusal: "", text: undefined, finish: null, logprobs: [] };
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
    if (chunk.error !== undefined && chunk.error !== null) return { kind: "whole", value: chunk };
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
  choice.content += textOf(delta.content);
  if (typeof delta.refusal === "string") choice.refusal += delta.refusal;
  if (typeof one.text === "string") choice.text = (choice.text ?? "") + one.text;
  choice.finish = one.finish_reason ?? choice.finish;
  const content = fieldsOf(one.logprobs)?.content;
  if (Array.isArray(content)) for (const place of content as unknown[]) choice.logprobs.push(place);
}

function completed({ content, refusal, text, finish, logprobs }: Choice): object {
  const common = { index: 0, finish_reason: finish, logprobs: logprobs.length === 0 ? null : { content: logprobs } };
  if (text !== undefined) return { ...common, text };
  return { ...common, message: { role: "assistant", content, ...(refusal === "" ? {} : { refusal }) } };
}

const textOf = (content: unknown): string => {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  return (content as unknown[])
    .map((part) => {
      const { type, text } = fieldsOf(part) ?? {};
      return (type === undefined || type === "text") && typeof text === "string" ? text : "";
    })
    .join("");
};

const fieldsOf = (value: unknown): Fields | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
