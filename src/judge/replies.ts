/**
 * What the ledger says of the calls of this run: replies read as verdicts, and for calls without one the last thing that went wrong. Lines
 * of other calls pass by.
 * May not know: files, pairs.
 */
import type { AskedJudge } from "../records/judge-file.js";
import { type JudgeLedgerLine, judgeLedgerLineSchema } from "../records/judge-ledger.js";
import type { Tokens } from "./cost.js";
import { choiceOf, readReply } from "./reply.js";
import { failureOf, rejectionOf, type Verdict, verdictOf } from "./verdict.js";

export interface Answered {
  readonly verdict: Verdict;
  /** The choice as it came, null where there was none. */
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
  const take = (line: JudgeLedgerLine): void => {
    const { key, server } = line;
    counts["body" in line ? "replies" : "others"]++;
    if (answered.has(key)) return; // the first reply counts
    if (!("body" in line)) {
      const verdict = line.rejected === true ? rejectionOf(line.error) : failureOf(line.error);
      (line.rejected === true ? answered : failed).set(key, { verdict, choice: null, usage: undefined, server });
      return;
    }
    const reply = readReply(line.body);
    if (reply === undefined) return;
    answered.set(key, { verdict: verdictOf(reply, judge), choice: choiceOf(line.body), usage: reply.usage, server });
  };
  return {
    visit(value) {
      const key = (value as { readonly key?: unknown } | null)?.key;
      if (typeof key === "string" && !wanted.has(key)) return;
      take(judgeLedgerLineSchema.parse(value));
    },
    has: (key) => answered.has(key),
    get: (key) => answered.get(key) ?? failed.get(key),
    size: () => answered.size,
    requests: () => ({ ...counts }),
  };
}
