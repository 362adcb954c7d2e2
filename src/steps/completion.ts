/**
 * A model's answer to one message: the text of a completion, or why there is none.
 * May not know: what was asked, how often to try.
 */
import { withoutReasoning } from "../judge/reasoning.js";
import { isCut, isFilter, readReply } from "../judge/reply.js";
import { openingOf } from "../util/http-body.js";

export type Completion =
  | { readonly kind: "reply"; readonly text: string; readonly cut: boolean }
  /** `refused`: it would be again. Else what came was no completion, and another time one may come. */
  | { readonly kind: "failed"; readonly reason: string; readonly refused: boolean };

/** Its text as it was said, reasoning in tags included: that is what is kept. */
export function completionOf(body: unknown): Completion {
  const reply = readReply(body);
  if (reply === undefined) {
    const opening = openingOf(JSON.stringify(body) ?? "");
    return { kind: "failed", reason: `the reply is no completion: ${opening}`, refused: false };
  }
  if (reply.refusal !== undefined) return { kind: "failed", reason: "the model declined", refused: true };
  if (reply.finish !== undefined && isFilter(reply.finish)) {
    return { kind: "failed", reason: "stopped by the server's content filter", refused: true };
  }
  return { kind: "reply", text: reply.text, cut: isCut(reply.finish) };
}

/** What of a text is the reply: nothing where reasoning never ended. */
export const repliedIn = (text: string): string => withoutReasoning(text) ?? "";
