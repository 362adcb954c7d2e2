/**
 * A request that came to an end as a line of a ledger, and what such a line says when it is read again: replies are kept as they came, so
 * that nothing is paid for twice, however it is to be read one day.
 * May not know: files, what a reply means.
 */
import type { ReplyLine } from "../records/reply-ledger.js";
import { readBody } from "./body.js";
import { type Completion, readCompletion } from "./completion.js";
import type { Attempt } from "./transport.js";

export interface Sent {
  readonly key: string;
  /** From 1. */
  readonly attempt: number;
  readonly server: string;
  /** ISO 8601. */
  readonly at: string;
  readonly seconds: number;
}

export function lineOf({ seconds, ...sent }: Sent, result: Attempt): ReplyLine {
  const common = { ...sent, seconds: Number(seconds.toFixed(3)) };
  if (result.kind !== "reply") return { ...common, status: result.status, error: result.error };
  const { status, body, text } = result;
  return text === undefined ? { ...common, status, body } : { ...common, status, text };
}

export type KeptReply =
  /** `finite`: all numbers of the body are, so that it can be written again. */
  | { readonly kind: "completion"; readonly completion: Completion; readonly body: unknown; readonly finite: boolean }
  /** There is a reply, and it cannot be read. */
  | { readonly kind: "unreadable"; readonly reason: string };

/** Undefined where what came is not a completion. */
export function keptReply(line: Exclude<ReplyLine, { error: string }>): KeptReply | undefined {
  const read = "body" in line ? ({ kind: "value", value: line.body, finite: true } as const) : readBody(line.text);
  if (read.kind === "deep") return { kind: "unreadable", reason: read.reason };
  const completion = read.kind === "value" ? readCompletion(read.value) : undefined;
  if (read.kind !== "value" || completion === undefined) return undefined;
  return { kind: "completion", completion, body: read.value, finite: read.finite };
}
