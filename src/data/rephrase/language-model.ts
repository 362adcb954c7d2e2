/**
 * The same by a language model, in two calls as the paper's authors did it: one judges, one rewrites. The wording is ours.
 * May not know: servers, files.
 */
import type { Check, Exchange, Rephraser, Rewrite } from "./rephrase.js";
import { parseVerdict } from "./verdicts.js";

/** A model's answer to one message, or why there is none. */
export type ModelReply =
  | { readonly kind: "reply"; readonly text: string; readonly cut: boolean }
  | { readonly kind: "failed"; readonly reason: string };

const tagged = ({ instruction, response }: Exchange): string => `\
<instruction>
${instruction}
</instruction>

<response>
${response}
</response>`;

export const checkPrompt = (exchange: Exchange): string => `\
Below are an instruction and a response to it. Decide whether the response begins by rephrasing the instruction: whether its first words \
repeat, paraphrase or announce what was asked (as in "Here are some tips for baking bread:") before they answer it.

Say in one sentence how the response begins. Then end with a line of its own that is exactly

#### YES

if it begins by rephrasing the instruction, and exactly

#### NO

if it does not.

${tagged(exchange)}`;

export const rewritePrompt = (exchange: Exchange): string => `\
The response below begins by rephrasing its instruction. Write the same response without that beginning. Change as little as possible: \
what follows the beginning stays word for word, with its formatting, unless a sentence needs another first word to stand by itself.

Give the new response between <response> and </response>, and nothing else.

${tagged(exchange)}`;

/** @param ask one message, one answer */
export function languageModelRephraser(ask: (prompt: string) => Promise<ModelReply>): Rephraser {
  return {
    async check(exchange): Promise<Check> {
      const reply = await ask(checkPrompt(exchange));
      if (reply.kind === "failed") return { kind: "unjudged", reason: reply.reason };
      const restates = parseVerdict(reply.text);
      if (restates === undefined) return { kind: "unjudged", reason: "no-verdict" };
      return { kind: "judged", restates, text: reply.text.trim() };
    },
    async rewrite(exchange): Promise<Rewrite> {
      const reply = await ask(rewritePrompt(exchange));
      if (reply.kind === "failed") return { kind: "kept", reason: reply.reason };
      if (reply.cut) return { kind: "kept", reason: "reply-cut" };
      const response = betweenTags(reply.text);
      if (response === undefined) return { kind: "kept", reason: "no-response-tags" };
      return response === "" ? { kind: "kept", reason: "nothing-left" } : { kind: "rewritten", response };
    },
  };
}

/** From the first tag to the last: a response may speak of tags. */
function betweenTags(text: string): string | undefined {
  const [start, end] = [text.indexOf("<response>"), text.lastIndexOf("</response>")];
  return start === -1 || end < start ? undefined : text.slice(start + "<response>".length, end).trim();
}
