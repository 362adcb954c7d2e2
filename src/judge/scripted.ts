/**
 * A judge that replies by a fixed rule, without a network.
 * May not know: what becomes of its replies.
 */
import type { ScriptedJudge } from "../records/judge-file.js";
import type { Transport } from "./ask.js";
import type { Shown } from "./prompt.js";

export function scriptedTransport({ prefers, markers }: ScriptedJudge): Transport {
  const [first = "", second = ""] = markers;
  const length = (text: string): number => [...text].length;
  const says: Record<ScriptedJudge["prefers"], (shown: Shown) => string> = {
    first: () => first,
    second: () => second,
    longer: (shown) => (length(shown.first) > length(shown.second) ? first : second),
    shorter: (shown) => (length(shown.first) < length(shown.second) ? first : second),
    nothing: () => "I cannot say.",
  };
  return async ({ shown }) => ({
    kind: "reply",
    status: 200,
    body: { choices: [{ message: { role: "assistant", content: says[prefers](shown) }, finish_reason: "stop" }] },
  });
}
