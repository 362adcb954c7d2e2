/**
 * Prompt files in AlpacaEval's format: a text with {instruction}, {output_1} and {output_2}, cut into messages by <|im_start|> and
 * <|im_end|>. AlpacaEval fills the text and cuts it afterwards; here it is cut first, so that an answer cannot open a message.
 * May not know: which answer is the model's, who is asked.
 */
import { invariant, UserError } from "../util/errors.js";
import { excerpt } from "../util/terminal.js";
import { readSmallText } from "../util/yaml.js";
import { breakControlTokens, type ChatMessage, type Prompt, type Shown } from "./prompt.js";

const START = "<|im_start|>";
const END = "<|im_end|>";
const slots = { instruction: "instruction", output_1: "first", output_2: "second" } as const;
const remedy =
  "it needs each of {instruction}, {output_1} and {output_2} once, as alpaca_eval's prompts with batch_size 1";

export async function loadPromptFile(path: string, outputs: "escape" | "verbatim"): Promise<Prompt> {
  return promptFrom(await readSmallText(path, "the prompt", "check the path"), path, outputs);
}

/** @param path  only for messages */
export function promptFrom(text: string, path: string, outputs: "escape" | "verbatim"): Prompt {
  checkSlots(text, path);
  const messages = messagesOf(text.replace(/^\uFEFF/, "").replaceAll("\r\n", "\n"), path).map((message) => ({
    ...message,
    pieces: piecesOf(message.content),
  }));
  const lines = linesOf(messages.map(({ content }) => content).join("\n"));
  return {
    text: JSON.stringify(["alpaca_eval", text, outputs]),
    render: (shown) =>
      messages.map(({ pieces, content: _, ...message }) => ({
        ...message,
        content: fill(pieces, shown, outputs, lines),
      })),
  };
}

/** A text, or a place for one between its delimiters. */
type Piece = string | { readonly slot: (typeof slots)[keyof typeof slots]; readonly delimiter: string | undefined };

function checkSlots(text: string, path: string): void {
  const lineOf = (index: number): number => text.slice(0, index).split("\n").length;
  for (const match of text.matchAll(/\{([^\s{}]+?)\}/g)) {
    const name = match[1] ?? "";
    if (!(name in slots))
      throw new UserError(`${path}:${lineOf(match.index)}: nothing fills {${excerpt(name)}}`, { remedy });
  }
  for (const name of Object.keys(slots)) {
    const count = text.split(`{${name}}`).length - 1;
    if (count !== 1) throw new UserError(`${path}: {${name}} occurs ${count} times`, { remedy });
  }
}

function messagesOf(text: string, path: string): ChatMessage[] {
  if (!text.includes(START)) return [{ role: "user", content: text.trim() }];
  const [before = "", ...parts] = text.split(START);
  if (before.trim() !== "") throw new UserError(`${path}: there is text before the first ${START}`, { remedy });
  return parts.map((part) => {
    const border = part.indexOf("\n");
    const [content = "", after = "", ...more] = part.slice(border + 1).split(END);
    if (border < 0 || after.trim() !== "" || more.length > 0) {
      throw new UserError(`${path}: a message is ${START}role, a line end, its text and ${END}`, { remedy });
    }
    const [, role = "", name] = /^\s*(\w+)(?:\s+name=(\S+))?\s*$/.exec(part.slice(0, border)) ?? [];
    if (role === "") throw new UserError(`${path}: "${part.slice(0, border)}" is not a role`, { remedy });
    return { role, ...(name === undefined ? {} : { name }), content: content.trim() };
  });
}

function piecesOf(content: string): Piece[] {
  const parts = content.split(/\{(instruction|output_1|output_2)\}/);
  return parts.map((part, i): Piece => {
    if (i % 2 === 0) return part;
    const slot = slots[part as keyof typeof slots];
    return { slot, delimiter: delimiterBetween(parts[i - 1] ?? "", parts[i + 1] ?? "") };
  });
}

/** `"""` in `"""{output_1}"""`, also on lines of their own. */
function delimiterBetween(before: string, after: string): string | undefined {
  const opening = /([^\w\s]{2,})\s*$/.exec(before)?.[1];
  return opening !== undefined && after.trimStart().startsWith(opening) ? opening : undefined;
}

/** Lines of the prompt that an answer could repeat in order to end itself: `## Output (b):`. */
function linesOf(text: string): ReadonlySet<string> {
  const lines = text.split("\n").map((line) => line.trim());
  return new Set(lines.filter((line) => line.length > 2 && !/\{(instruction|output_1|output_2)\}/.test(line)));
}

/** In one pass: what an answer says of {output_2} stays its text. */
function fill(
  pieces: readonly Piece[],
  shown: Shown,
  outputs: "escape" | "verbatim",
  lines: ReadonlySet<string>,
): string {
  return pieces
    .map((piece) => {
      if (typeof piece === "string") return piece;
      const text = shown[piece.slot];
      return outputs === "verbatim" ? text : escapeIn(text, piece.delimiter, lines);
    })
    .join("");
}

/** A backslash before whatever would end the place that the text stands in. */
function escapeIn(text: string, delimiter: string | undefined, lines: ReadonlySet<string>): string {
  const safe = text
    .split(/(\r\n|[\n\r\u2028\u2029])/)
    .map((line) => (lines.has(line.trim()) ? line.replace(/\S/, "\\$&") : line))
    .join("");
  const broken = breakControlTokens(safe);
  if (delimiter === undefined) return broken;
  const [mark = ""] = delimiter;
  // With what follows of the mark: two quotes after three escaped ones would close with the last of them.
  const closing = new RegExp(`${escapePattern(delimiter)}${escapePattern(mark)}*`, "g");
  const closed = broken.replace(closing, (marks) => [...marks].map((c) => `\\${c}`).join(""));
  const result = endSafely(closed, mark);
  invariant(!result.includes(delimiter), "a delimiter is left");
  return result;
}

const escapePattern = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** The last character beside the prompt's own delimiter could complete one (`"` before `"""`), or take its first character away (`\\`). */
function endSafely(text: string, mark: string): string {
  const isMark = text.endsWith(mark);
  const end = isMark ? text.length - mark.length : text.length;
  let slashes = 0;
  while (text[end - 1 - slashes] === "\\") slashes++;
  if (isMark) return slashes % 2 === 1 ? text : `${text.slice(0, end)}\\${mark}`;
  return slashes % 2 === 1 ? `${text}\\` : text;
}
