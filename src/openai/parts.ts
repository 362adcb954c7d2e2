/**
 * Pieces of a completion's body that everybody who reads one needs: fields of what may be anything, the text of content, reasoning that
 * stands beside it, and whether an error says anything.
 * May not know: verdicts, requests.
 */

export type Fields = Readonly<Record<string, unknown>>;

/** Undefined where a value is no object. */
export const fieldsOf = (value: unknown): Fields | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;

/** Of content as a text or as a list of parts. Other parts, such as `thinking`, are no part of what was said. */
export function textOfContent(content: unknown): string {
  if (typeof content === "string") return content;
  return Array.isArray(content) ? (content as unknown[]).map(textOfPart).join("") : "";
}

function textOfPart(part: unknown): string {
  if (typeof part === "string") return part;
  const { type, text } = fieldsOf(part) ?? {};
  const isText = type === undefined || type === "text" || type === "output_text";
  return isText && typeof text === "string" ? text : "";
}

const reasoning = /think|thought|reason/i;

/** Part of a content list that holds reasoning. */
export function isReasoningPart(part: unknown): boolean {
  const { type } = fieldsOf(part) ?? {};
  return typeof type === "string" && reasoning.test(type);
}

/** Fields of a message that hold reasoning: `reasoning_content`, `reasoning`, `reasoning_details`, `thinking` … */
export const reasoningFields = (message: Fields): [name: string, value: unknown][] =>
  Object.entries(message).filter(([name, value]) => reasoning.test(name) && saysSomething(value));

/** Whether a value holds more than what stands for nothing: null, false, 0, an empty text, and lists and objects of these. */
export function saysSomething(value: unknown): boolean {
  if (typeof value === "string") return value.trim() !== "";
  if (typeof value !== "object" || value === null) return Boolean(value);
  return Object.values(value).some(saysSomething);
}

/** Finish reasons that are failures of the server: the reply does not count. */
export const isBrokenOff = (finish: unknown): boolean =>
  typeof finish === "string" &&
  /^(?:(?:\w+_)?error|fail(?:ed|ure)|abort(?:ed)?|cancell?ed|insufficient_system_resource)$/i.test(finish);
