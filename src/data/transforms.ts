/**
 * What may be done to examples before they meet a template. Other role tags are not among them: tags belong to the template.
 * May not know: files, tokens.
 */
import type { Example } from "../records/example.js";

/** Response tuning: every user message becomes the empty text; ids and responses stay. The example itself is not changed. */
export function responseOnly<E extends Example>(example: E): E {
  const messages = example.messages.map((message) => (message.role === "user" ? { ...message, content: "" } : message));
  return { ...example, messages };
}
