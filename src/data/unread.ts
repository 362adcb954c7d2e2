/**
 * What a row or a message says that nobody would read: content beside what became of it, and weights that would not be kept. Such a row
 * is bad, for it would be trained on or asked as something else than its author wrote. Other keys (a source, a category) are left alone.
 * May not know: formats, data sets.
 */
import type { Message } from "../records/example.js";
import { isObject } from "../util/json.js";
import { excerpt } from "../util/terminal.js";
import { own, plainKey } from "./fields.js";

/** What to do about a key of each kind. */
const remedies = {
  system: "the templates have no place for it: put it in front of the instruction, or delete it",
  history: 'write all turns as "messages", or delete it',
  turns: 'turns are read from "messages" alone: keep these or the texts beside them',
  question: 'name it "input" to have it behind the instruction, or delete it',
  answer: 'one answer is read: keep one, as "response"',
  rejected: "answers that are not wanted have no place: delete it",
  tools: "there is no place for tools, calls or pictures: delete it, or leave the row out",
  name: "the templates have no place for names: put it into the content, or delete it",
  thought: "a message has one text: put it into the content, or delete it",
} as const;
type Content = keyof typeof remedies;

const kinds: Readonly<Record<Content, readonly string[]>> = {
  system: ["system", "system_prompt", "system_message", "developer"],
  history: ["history"],
  turns: ["messages", "conversation", "conversations", "dialog", "dialogue", "turns", "chat"],
  question: [
    ...["instruction", "input", "inputs", "prompt", "question", "query", "context", "contexts", "passage", "text"],
    ...[
      "document",
      "documents",
      "document_text",
      "article",
      "paragraph",
      "background",
      "knowledge",
      "prefix",
      "suffix",
    ],
  ],
  answer: [
    ...["response", "responses", "output", "outputs", "completion", "completions", "answer", "answers", "target"],
    ...["targets", "chosen", "reasoning", "reasoning_content", "thinking", "rationale"],
  ],
  rejected: ["rejected", "refusal"],
  tools: [
    ...["tools", "functions", "function_call", "tool_calls", "tool_call_id", "tool_choice"],
    ...["image", "images", "audio", "audios", "video", "videos"],
  ],
  name: [],
  thought: [],
};
/** Content of these kinds is lost even where a message happens to hold the same words. */
const strict: ReadonlySet<Content> = new Set(["system", "history", "rejected", "tools", "name"]);
/** Keys are looked up in their plain form: `Input`, `systemPrompt` and `system-prompt` say what `input` and `system_prompt` say. */
const contentKeys = new Map(
  Object.entries(kinds).flatMap(([kind, keys]) => keys.map((key) => [plainKey(key), kind as Content])),
);

/** In a message, which has its own content and nothing else to say. */
const messageKeys = new Map<string, Content>([
  ...kinds.tools.map((key) => [plainKey(key), "tools"] as const),
  ...["reasoning", "reasoning_content", "thinking"].map((key) => [plainKey(key), "thought"] as const),
  ["refusal", "rejected"],
  ["name", "name"],
]);

/** Keys that say how much loss something carries: a number, or yes and no. Others say it in ways that cannot be read off a value. */
const weightKeys = [
  ...["weight", "loss_weight", "sample_weight", "loss"],
  ...["train", "trainable", "training", "train_on", "is_target", "learn"],
];
const otherWeightKeys = [
  ...["weights", "mask", "masked", "masks", "loss_mask", "labels_mask"],
  ...["train_detail", "train_on_input", "train_on_inputs"],
];
const weights: ReadonlySet<string> = new Set(weightKeys.map(plainKey));
const otherWeights: ReadonlySet<string> = new Set(otherWeightKeys.map(plainKey));

/** Weights, which do not matter where nothing is trained. */
export const WEIGHT_KEYS: readonly string[] = [...weightKeys, ...otherWeightKeys];
/** Answers, which do not matter to somebody who asks for new ones. */
export const ANSWER_KEYS: readonly string[] = [...kinds.answer, ...kinds.rejected];

/**
 * The first key of a row whose content is not in its messages, or whose weight is not the one that every row has.
 *
 * @param aside  keys that the data set leaves aside on purpose
 * @returns why the row is bad; undefined where all of it is read
 */
export function unreadInRow(
  row: Record<string, unknown>,
  messages: readonly Message[],
  aside: readonly string[] = [],
): string | undefined {
  const dialogue = kinds.turns.find((key) => spokenIn(own(row, key)).length > 0);
  const left = new Set(aside.map(plainKey));
  const read = readOf(row, messages);
  for (const key of Object.keys(row)) {
    const plain = plainKey(key);
    if (left.has(plain)) continue;
    const value = own(row, key);
    const kind = contentKeys.get(plain);
    if (kind !== undefined && spokenIn(value).some((one) => strict.has(kind) || !isRead(plain, kind, one, read))) {
      const beside = dialogue !== undefined && (kind === "question" || kind === "answer");
      if (beside) return `"${key}" beside "${dialogue}" would be lost: ${remedies.turns}`;
      return `"${key}" would be lost: ${remedies[kind]}`;
    }
    const isFlag = plain !== "loss" || typeof value === "boolean"; // a number of that name is what somebody measured
    if (isFlag && isWeight(plain, value) && !weighs(value, 1, plain))
      return `"${key}" is ${shown(value)}, but all rows weigh the same: leave the row out, or delete the key`;
  }
  return undefined;
}

/** The same of one message. Loss falls on every response and on nothing else. */
export function unreadInMessage(message: Record<string, unknown>, role: Message["role"]): string | undefined {
  for (const key of Object.keys(message)) {
    const value = own(message, key);
    const plain = plainKey(key);
    const kind = messageKeys.get(plain);
    if (kind !== undefined && spokenIn(value).length > 0) return `"${key}" would be lost: ${remedies[kind]}`;
    if (!isWeight(plain, value) || weighs(value, role === "assistant" ? 1 : 0, plain)) continue;
    return role === "assistant"
      ? `"${key}" is ${shown(value)}, but every response carries loss: leave it out, or delete the key`
      : `"${key}" is ${shown(value)}, but loss falls on responses alone: delete the key`;
  }
  return undefined;
}

const isWeight = (key: string, value: unknown): boolean =>
  (weights.has(key) || otherWeights.has(key)) && value !== null && value !== undefined && value !== "";

/** Whether a weight says just what happens anyway. CSV has texts for numbers. */
function weighs(value: unknown, usual: 0 | 1, key: string): boolean {
  if (otherWeights.has(key)) return false;
  const text = String(value).trim().toLowerCase();
  if (text === "true" || text === "false") return (text === "true") === (usual === 1);
  return Number(text) === usual;
}

/** A text within a value, and who says it where the value is of messages: `other` is neither the user nor the assistant. */
interface Spoken {
  readonly text: string;
  readonly by: Message["role"] | "other" | undefined;
}

/** Texts within a value, those that are white space alone left out; of a list of messages their contents. */
function spokenIn(value: unknown, by?: Spoken["by"]): Spoken[] {
  if (typeof value === "string") return value.trim() === "" ? [] : [{ text: value.trim(), by }];
  if (Array.isArray(value)) return value.flatMap((one) => spokenIn(one, by));
  if (!isObject(value)) return []; // numbers and flags are not content
  const content = own(value, "content") ?? own(value, "value");
  if (content === undefined) return Object.values(value).flatMap((one) => spokenIn(one, by));
  return spokenIn(content, speakerOf(own(value, "role") ?? own(value, "from")) ?? by);
}

function speakerOf(role: unknown): Spoken["by"] {
  if (role === undefined || role === null) return undefined;
  if (role === "user" || role === "human") return "user";
  return role === "assistant" || role === "gpt" ? "assistant" : "other";
}

/** What is read of a row. */
interface Read {
  readonly messages: readonly Message[];
  /** Texts that were read on their own: each message, and of an instruction with an input both. */
  readonly texts: readonly Spoken[];
}

function readOf(row: Record<string, unknown>, messages: readonly Message[]): Read {
  const texts: Spoken[] = messages.map(({ role, content }) => ({ text: content.trim(), by: role }));
  const [instruction, input] = [own(row, "instruction"), own(row, "input")];
  const joined = typeof instruction === "string" && typeof input === "string" && `${instruction}\n\n${input}`;
  if (joined !== false && messages[0]?.content === joined)
    texts.push({ text: instruction.trim(), by: "user" }, { text: input.trim(), by: "user" });
  return { messages, texts };
}

const speakers: Partial<Record<Content, Message["role"]>> = { question: "user", answer: "assistant" };

/** The same text was read as the same speaker's; or, under two names, the text is what was read put into some template. */
function isRead(key: string, kind: Content, { text, by }: Spoken, { messages, texts }: Read): boolean {
  const speaker = by ?? speakers[kind];
  if (texts.some((one) => one.text === text && (speaker === undefined || one.by === speaker))) return true;
  if (key !== "text" && key !== "prompt") return false;
  const within = key === "text" ? messages : messages.filter(({ role }) => role === "user");
  return isTemplated(
    text,
    within.flatMap(({ content }) => content.split("\n\n").map((part) => part.trim())),
  );
}

/** All parts in their order, each with nothing of a sentence at its sides: line ends, or marks such as `[INST]`, `<|user|>` and `Q:`. */
function isTemplated(text: string, parts: readonly string[]): boolean {
  let from = 0;
  return parts.every((part) => {
    for (let at = text.indexOf(part, from); at >= 0; at = text.indexOf(part, at + 1)) {
      const end = at + part.length;
      const [before, after] = [text.slice(from, at).trimEnd(), text.slice(end).trimStart()];
      const opens = before === "" || /\n\s*$/.test(text.slice(from, at)) || /[\]>|:：]$/.test(before);
      const closes = after === "" || /^\s*\n/.test(text.slice(end)) || /^[<[|]/.test(after);
      if (!opens || !closes) continue;
      from = end;
      return true;
    }
    return false;
  });
}

const shown = (value: unknown): string =>
  typeof value === "object" ? "a list or an object" : excerpt(String(value), 30);
