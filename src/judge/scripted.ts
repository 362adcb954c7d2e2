/**
 * A judge that replies by a fixed rule, without a network.
 * May not know: what becomes of its replies.
 */
import type { Attempt } from "../openai/transport.js";
import type { ScriptedJudge } from "../records/judge-file.js";
import type { Shown } from "./prompt.js";

export function scriptedReply({ prefers, markers }: ScriptedJudge, shown: Shown): Attempt {
  const [first = "", second = ""] = markers;
  const [a, b] = [[...shown.first].length, [...shown.second].length]; // code points
  const says: Record<ScriptedJudge["prefers"], string> = {
    first,
    second,
    longer: a > b ? first : second,
    shorter: a < b ? first : second,
    nothing: "I cannot say.",
  };
  const message = { role: "assistant", content: says[prefers] };
  return { kind: "reply", status: 200, body: { choices: [{ message, finish_reason: "stop" }] } };
}
