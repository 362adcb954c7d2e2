/** What is read out of a reply, and what says how. May not know: how it is read. */
import type { VerdictOutcome } from "../records/annotations.js";
import type { AskedJudge } from "../records/judge-file.js";

export type Verdict =
  /** P(the answer shown first is better), 0.5 a draw. */
  | { readonly outcome: "judged"; readonly first: number }
  | { readonly outcome: Exclude<VerdictOutcome, "judged" | "identical" | "empty">; readonly reason: string };

export type Reading = Pick<AskedJudge, "verdict" | "markers" | "parser" | "position" | "compat">;
