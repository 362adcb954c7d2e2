/**
 * From loosely typed messages to an example: the roles alternate, user first; a dialogue that ends with the user is a
 * prompt without a response, which the loader refuses unless it was asked for prompts.
 * May not know: files, data sets.
 */
import type { Message } from "../../records/example.js";
import { isObject } from "../../util/json.js";
import { excerpt } from "../../util/terminal.js";
import { kindOf, own, type TextField, textField } from "../fields.js";
import { bad, type Outcome } from "../record.js";
import { unreadInMessage } from "../unread.js";

/** One instruction, one response. */
export function pair(id: string, instruction: TextField, response: TextField): Outcome {
  if ("problem" in instruction) return bad(instruction.problem);
  if ("problem" in response) return bad(response.problem);
  const messages: Message[] = [
    { role: "user", content: instruction.text },
    { role: "assistant", content: response.text },
  ];
  return { kind: "example", example: { id, messages } };
}

/** An instruction alone. */
export function prompt(id: string, instruction: TextField): Outcome {
  if ("problem" in instruction) return bad(instruction.problem);
  return { kind: "example", example: { id, messages: [{ role: "user", content: instruction.text }] } };
}

/** A list of `{role, content}`. Other keys are ignored, unless content or a weight would be lost with them. */
export function dialogue(id: string, list: unknown): Outcome {
  if (!Array.isArray(list)) return bad(`"messages" is ${kindOf(list)}, not a list`);
  if (list.length === 0) return bad('"messages" is empty');
  const messages: Message[] = [];
  for (const [i, item] of list.entries()) {
    if (!isObject(item)) return bad(`message ${i + 1} is ${kindOf(item)}, not an object`);
    const role = own(item, "role");
    const expected = i % 2 === 0 ? "user" : "assistant";
    if (role !== expected) return bad(roleProblem(i, role, expected, item));
    const unread = unreadInMessage(item, expected);
    if (unread !== undefined) return bad(`message ${i + 1}: ${unread}`);
    if (Array.isArray(own(item, "content")))
      return bad(`message ${i + 1}: "content" is a list of parts; write one text`);
    const content = textField(item, "content");
    if ("problem" in content) return bad(`message ${i + 1}: ${content.problem}`);
    messages.push({ role: expected, content: content.text });
  }
  return { kind: "example", example: { id, messages } };
}

const unplaced: Readonly<Record<string, string>> = {
  system: "a system message",
  developer: "a system message",
  tool: "a tool's message",
  function: "a tool's message",
};

function roleProblem(index: number, role: unknown, expected: string, message: Record<string, unknown>): string {
  const what = typeof role === "string" ? unplaced[role] : undefined;
  if (what !== undefined) return `message ${index + 1} is ${what}, for which the template has no place`;
  if (role === undefined && own(message, "from") !== undefined)
    return `message ${index + 1} has "from" and "value", as ShareGPT has them: write "role" and "content"`;
  const found = typeof role === "string" ? `"${excerpt(role, 30)}"` : kindOf(role);
  return `message ${index + 1} has role ${found}, not "${expected}" (roles alternate, user first)`;
}

/** The row's own id where it has one, else `fallback`. */
export function idOf(
  value: Record<string, unknown>,
  fallback: string,
): { readonly id: string } | { readonly problem: string } {
  const id = own(value, "id");
  if (id === undefined || id === null) return { id: fallback };
  if (typeof id === "number" || typeof id === "bigint") return { id: String(id) };
  const text = textField(value, "id");
  if ("problem" in text) return text;
  return text.text === "" ? { problem: '"id" is empty' } : { id: text.text };
}
