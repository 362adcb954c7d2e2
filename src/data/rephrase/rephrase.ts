/**
 * Marks responses that begin by restating their instruction and takes the restatement off. Every exchange comes out as something: as it was,
 * rewritten, or as it was with the reason why it could not be judged or rewritten.
 * May not know: files, servers.
 */
import type { Example } from "../../records/example.js";
import { openingOf } from "./opening.js";
import { OVERLAP_THRESHOLD, overlap } from "./overlap.js";

export interface Exchange {
  readonly instruction: string;
  readonly response: string;
}

/** `text` ends in `#### YES` or `#### NO`, as the paper's authors keep it. */
export type Check =
  | { readonly kind: "judged"; readonly restates: boolean; readonly text: string }
  | { readonly kind: "unjudged"; readonly reason: string };

export type Rewrite =
  | { readonly kind: "rewritten"; readonly response: string }
  | { readonly kind: "kept"; readonly reason: string };

/** Something that judges and rewrites: the overlap measure, or a language model. */
export interface Rephraser {
  check(exchange: Exchange): Promise<Check>;
  /** Asked only where the response restates. */
  rewrite(exchange: Exchange): Promise<Rewrite>;
}

export type ExchangeOutcome =
  | { readonly kind: "plain" }
  | { readonly kind: "rewritten" }
  /** Restates the instruction, and stays as it was. */
  | { readonly kind: "kept"; readonly reason: string }
  | { readonly kind: "unjudged"; readonly reason: string };

/** A message with what the paper's authors added: the verdict on the user's, the response before rewriting on the assistant's. */
export interface RephrasedMessage {
  readonly role: "user" | "assistant";
  readonly content: string;
  readonly check?: string;
  readonly content_old?: string;
}

export interface RephrasedRow {
  readonly id: string;
  readonly messages: readonly RephrasedMessage[];
}

/** Each exchange of a dialogue on its own. */
export async function rephraseExample(
  example: Example,
  rephraser: Rephraser,
): Promise<{ readonly row: RephrasedRow; readonly outcomes: readonly ExchangeOutcome[] }> {
  const messages: RephrasedMessage[] = [];
  const outcomes: ExchangeOutcome[] = [];
  for (let i = 0; i < example.messages.length; i += 2) {
    const [user, assistant] = [example.messages[i], example.messages[i + 1]];
    if (user === undefined || assistant === undefined) {
      messages.push(...example.messages.slice(i)); // a last message without an answer
      break;
    }
    const exchange = { instruction: user.content, response: assistant.content };
    const check = await rephraser.check(exchange);
    if (check.kind === "unjudged") {
      messages.push(user, assistant);
      outcomes.push(check);
      continue;
    }
    messages.push({ ...user, check: check.text });
    const rewrite = check.restates ? await rephraser.rewrite(exchange) : undefined;
    if (rewrite?.kind === "rewritten") {
      messages.push({ ...assistant, content: rewrite.response, content_old: assistant.content });
    } else messages.push(assistant);
    outcomes.push(
      rewrite === undefined ? { kind: "plain" } : rewrite.kind === "kept" ? rewrite : { kind: "rewritten" },
    );
  }
  return { row: { id: example.id, messages }, outcomes };
}

/** By words alone, offline: the opening is taken off as a whole. */
export function overlapRephraser(threshold: number = OVERLAP_THRESHOLD): Rephraser {
  return {
    async check({ instruction, response }) {
      const score = overlap(instruction, response);
      const restates = score >= threshold;
      return { kind: "judged", restates, text: `overlap ${score.toFixed(2)} #### ${restates ? "YES" : "NO"}` };
    },
    async rewrite({ response }) {
      const { rest } = openingOf(response);
      return rest === "" ? { kind: "kept", reason: "nothing-left" } : { kind: "rewritten", response: rest };
    },
  };
}
