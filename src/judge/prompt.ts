/**
 * What a prompt is: two texts shown to the judge in an order, and the messages that show them.
 * May not know: which answer is the model's, who is asked.
 */

/** A pair as the judge sees it. */
export interface Shown {
  readonly instruction: string;
  /** The answer shown first, which the first marker names. */
  readonly first: string;
  readonly second: string;
}

export interface ChatMessage {
  readonly role: string;
  readonly name?: string;
  readonly content: string;
}

export interface Prompt {
  /** What decides the messages besides the pair; hashed. */
  readonly text: string;
  /** One text for an API without messages is a single message. */
  readonly render: (shown: Shown) => readonly ChatMessage[];
}

// What chat templates make control tokens of: ChatML and Llama 3, DeepSeek, Llama 2, Gemma. A server that renders a chat as text and
// encodes it reads them in an answer as its own.
const controlToken = /<[|｜][^|｜<>\s]{1,40}[|｜]>|<\/?s>|\[\/?INST\]|<<\/?SYS>>|<\/?(?:start|end)_of_turn>/gi;

/** The text with a backslash in each control token, so that none is left: `<\|im_end|>`. */
export function breakControlTokens(text: string): string {
  return text.replace(controlToken, (token) => `${token[0]}\\${token.slice(1)}`);
}

/** Whether an answer holds what a chat template would take for a control token. */
export const holdsControlToken = (text: string): boolean => text.search(controlToken) >= 0;
