/**
 * What a data set gives and what a template takes: a dialogue of alternating user and assistant messages.
 * Lives here because `data` and `text` do not see each other.
 */
import { z } from "zod";

export const messageSchema = z.object({ role: z.enum(["user", "assistant"]), content: z.string() });
export type Message = z.infer<typeof messageSchema>;

/** One training or scoring example. Messages alternate, user first, assistant last. */
export interface Example {
  readonly id: string;
  readonly messages: readonly Message[];
}

/** The first user message. */
export function instructionOf(example: Example): string {
  return example.messages[0]?.content ?? "";
}

/** The first assistant message: what answers the first user message. */
export function responseOf(example: Example): string {
  return example.messages[1]?.content ?? "";
}
