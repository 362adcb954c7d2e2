/**
 * From a reply to a verdict, or to the reason why there is none. Verdicts speak of the answer that was shown first.
 * May not know: which answer is the model's, where replies come from.
 */
import { type Completion, declinedIn, isCut } from "../openai/completion.js";
import { withoutReasoning } from "../openai/reasoning.js";
import { shorten } from "../util/terminal.js";
import { isOneMarker } from "./marker-reply.js";
import { parseVerdict } from "./parsers.js";
import type { Reading, Verdict } from "./reading.js";
import { weightedVerdict } from "./weighted.js";

export function verdictOf(reply: Completion, judge: Reading): Verdict {
  const declined = declinedIn(reply, "the judge");
  if (declined !== undefined) return { outcome: "refused", reason: declined };
  return judge.verdict === "logprobs" ? weightedVerdict(reply, judge) : sampledVerdict(reply, judge);
}

/** A reply that was cut off counts only where all of it is the verdict: its end might have changed it. */
function sampledVerdict({ text, finish, reasoned }: Completion, { markers, parser, compat }: Reading): Verdict {
  const said = compat === undefined ? withoutReasoning(text) : text;
  if (isCut(finish) && !(said !== undefined && isOneMarker(said, markers))) {
    return { outcome: "truncated", reason: "cut off at the limit of tokens" };
  }
  const unparsed = (reason: string): Verdict => ({ outcome: "unparsed", reason });
  if (said === undefined) return unparsed("its reasoning never ends");
  if (said.trim() === "") {
    return unparsed(reasoned || text.trim() !== "" ? "nothing but reasoning in the reply" : "the reply is empty");
  }
  const first = parseVerdict(said, parser, markers, compat);
  if (first === "several") return unparsed("several verdicts in the reply");
  return first === undefined ? unparsed("no verdict that was offered") : { outcome: "judged", first };
}

const filtered = /content[_ ]?filter|content management|safety|moderation/i;
/**
 * The verdict on a pair whose request the server rejected.
 *
 * @param refused  for what it says; undefined in ledgers that do not tell, where the server's words have to
 */
export const rejectionOf = (error: string, refused: boolean | undefined): Verdict => ({
  outcome: (refused ?? filtered.test(error)) ? "refused" : "failed",
  reason: shorten(error, LONGEST_REASON),
});

/** The verdict on a pair that no request brought a reply for. */
export const failureOf = (error: string): Verdict => ({ outcome: "failed", reason: shorten(error, LONGEST_REASON) });

/** A reason is one line of a table. The ledger has the whole of it. */
const LONGEST_REASON = 120;
