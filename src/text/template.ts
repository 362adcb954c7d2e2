/**
 * The paper's (Tulu's) dialogue format: `{BOS}<|user|>\n{instruction}\n<|assistant|>\n{response}{EOS}`. The tags are
 * ordinary text; BOS and EOS are ids and never text.
 * May not know: tokenizers, ids, files.
 */
import type { Template } from "../options/template.js";

/** The text before a response. A later turn begins on a new line after the EOS of the one before it. */
export function promptText(template: Template, instruction: string, turn: "first" | "later"): string {
  return `${turn === "first" ? "" : "\n"}${openingText(template)}${instruction}\n${template.assistantTag}\n`;
}

/** What stands between BOS and the first instruction. */
export const openingText = (template: Template): string => `${template.userTag}\n`;

/** The whole format on one line, for records and messages. */
export function templateText(template: Template): string {
  return `{BOS}${promptText(template, "{instruction}", "first")}{response}{EOS}`;
}
