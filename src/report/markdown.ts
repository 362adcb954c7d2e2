/**
 * A report as Markdown. Text of models stands in fenced blocks longer than any fence in it, everything else is escaped: it can neither be
 * a heading nor an image.
 * May not know: studies.
 */
import { printable } from "../util/terminal.js";
import { type Answers, type Block, type Report, shownColumns, type Table } from "./document.js";

export function* markdown(report: Report): Generator<string> {
  yield `# ${inline(report.title)}\n\n${inline(report.lead)}\n`;
  if (report.result !== undefined) yield `\n**Result.** ${inline(report.result)}\n`;
  for (const { title, blocks } of report.sections) {
    yield `\n## ${inline(title)}\n`;
    for (const one of blocks) yield `\n${block(one)}\n`;
  }
}

/** One line without a meaning to Markdown. */
const inline = (text: string): string =>
  printable(text)
    .replace(/\s+/g, " ")
    .trim()
    .replace(/[\\`*_{}[\]()#+!|<>~-]/g, (character) =>
      character === "-" || character === "(" || character === ")" || character === "+" ? character : `\\${character}`,
    )
    .replace(/^([-+]|\d+[.)])(?=\s)/, "\\$1");

function fence(text: string): string {
  const longest = Math.max(2, ...(text.match(/`+/g) ?? []).map((ticks) => ticks.length));
  const ticks = "`".repeat(longest + 1);
  return `${ticks}\n${printable(text.replaceAll("\r\n", "\n"))}\n${ticks}`; // who reads it may be a terminal
}

function block(one: Block): string {
  switch (one.kind) {
    case "text":
      return inline(one.text);
    case "warning":
      return `> **Note.** ${inline(one.text)}`;
    case "list":
      return one.items.map((item) => `- ${inline(item)}`).join("\n");
    case "code":
      return fence(one.text);
    case "table":
      return table(one.table);
    case "figure":
      return `![${inline(one.figure.alt)}](figures/${encodeURIComponent(one.figure.id)}.svg)\n\n*${inline(one.figure.caption)}*`;
    case "answers":
      return answers(one.answers);
    default:
      return one satisfies never;
  }
}

function table({ caption, columns, rows }: Table): string {
  const shown = shownColumns(columns);
  const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [
    inline(caption),
    "",
    row(shown.map(({ column }) => inline(column.label))),
    row(shown.map(({ column }) => (column.numeric === true ? "---:" : "---"))),
    ...rows.map((cells) => row(shown.map(({ i }) => inline(cells[i]?.text ?? "")))),
  ].join("\n");
}

const answers = ({ instruction, why, answers: given }: Answers): string =>
  [
    `**Instruction** (${inline(why)})`,
    fence(instruction),
    ...given.map(({ arm, text, note }) => `${inline(arm)} (${inline(note)})\n\n${fence(text)}`),
  ].join("\n\n");
