/**
 * What the ledger says of the calls of this run: replies read as verdicts, and for calls without one the last thing that went wrong. Lines
 * of other calls pass by.
 * May not know: files, pairs.
 */
import { openingOf } from "../openai/body.js";
import { choiceOf } from "../openai/completion.js";
import type { Tokens } from "../openai/cost.js";
import { keptReply } from "../openai/ledger.js";
import type { AskedJudge } from "../records/judge-file.js";
import { type ReplyLine, replyLineSchema } from "../records/reply-ledger.js";
import type { Verdict } from "./reading.js";
import { failureOf, rejectionOf, verdictOf } from "./verdict.js";

export interface Answered {
  readonly verdict: Verdict;
  /** Whether there was a reply, of whatever kind. */
  readonly replied: boolean;
  /** How its text begins, safe to show, where that is no verdict. */
  readonly opening?: string;
  /** The choice as it came, null where there was none or it cannot be repeated. */
  readonly choice: unknown;
  readonly usage: Tokens | undefined;
  readonly server: string;
}

export interface Replies {
  /** Takes one line of the ledger. */
  visit(line: unknown): void;
  /** Whether a call needs no further request. */
  has(key: string): boolean;
  get(key: string): Answered | undefined;
  /** Calls with a reply. */
  size(): number;
  /** Requests of these calls that the ledger holds, by whether a completion came. */
  requests(): { readonly replies: number; readonly others: number };
}

export function openReplies(wanted: ReadonlySet<string>, judge: AskedJudge): Replies {
  const answered = new Map<string, Answered>();
  const failed = new Map<string, Answered>();
  const counts = { replies: 0, others: 0 };
  const take = (line: ReplyLine): void => {
    const { key, server } = line;
    counts["error" in line ? "others" : "replies"]++;
    if (answered.has(key)) return; // the first reply counts
    if ("error" in line) {
      const verdict = line.rejected === true ? rejectionOf(line.error, line.refused) : failureOf(line.error);
      const none = { verdict, replied: false, choice: null, usage: undefined, server };
      (line.rejected === true ? answered : failed).set(key, none);
      return;
    }
    const read = readLine(line, judge);
    if (read !== undefined) answered.set(key, { ...read, replied: true, server });
  };
  return {
    visit(value) {
      const key = (value as { readonly key?: unknown } | null)?.key;
      if (typeof key === "string" && !wanted.has(key)) return;
      take(replyLineSchema.parse(value));
    },
    has: (key) => answered.has(key),
    get: (key) => answered.get(key) ?? failed.get(key),
    size: () => answered.size,
    requests: () => ({ ...counts }),
  };
}

type Read = Pick<Answered, "verdict" | "opening" | "choice" | "usage">;

/** Undefined where what came is not a completion. */
function readLine(line: Exclude<ReplyLine, { error: string }>, judge: AskedJudge): Read | undefined {
  const kept = keptReply(line);
  if (kept?.kind === "unreadable") {
    return { verdict: { outcome: "unparsed", reason: kept.reason }, choice: null, usage: undefined };
  }
  if (kept === undefined) return undefined;
  const { completion, body, finite } = kept;
  // A choice with numbers that JSON cannot write stays in the ledger alone.
  const choice = finite ? choiceOf(body) : null;
  const verdict = verdictOf(completion, judge);
  const said = completion.text || (completion.refusal ?? "");
  return {
    verdict,
    ...(verdict.outcome === "judged" ? {} : { opening: openingOf(said) }),
    choice,
    usage: completion.usage,
  };
}
