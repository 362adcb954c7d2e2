/**
 * A report as one HTML file: no network, no script, everything from the records escaped. A content security policy makes sure that text of a
 * model can do nothing even if a mistake of ours let it through.
 * May not know: studies.
 */
import {
  type Answers,
  type Block,
  type Column,
  type Report,
  type Section,
  shownColumns,
  type Table,
} from "./document.js";
import { pageStyle } from "./style.js";
import { cut, escapeXml, figureStyle } from "./svg.js";

/** Stands in every page: by it a folder is known as a report. */
export const KICKER = '<p class="kicker">Tacit report</p>';

export function* html(report: Report): Generator<string> {
  yield `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="color-scheme" content="light dark">
<title>${escapeXml(report.title)}</title>
<style>${pageStyle}${figureStyle}</style>
</head>
<body>
<header>
${KICKER}
<h1>${escapeXml(report.title)}</h1>
<p class="lead">${escapeXml(report.lead)}</p>${report.result === undefined ? "" : `\n<p class="result"><strong>Result.</strong> ${escapeXml(report.result)}</p>`}
<nav aria-label="Sections"><ol>${report.sections.map(({ id, title }) => `<li><a href="#${escapeXml(id)}">${escapeXml(title)}</a></li>`).join("")}</ol></nav>
</header>
<main>
`;
  for (const one of report.sections) yield section(one);
  yield "</main>\n</body>\n</html>\n";
}

const section = ({ id, title, blocks }: Section): string =>
  `<section aria-labelledby="${escapeXml(id)}">\n<h2 id="${escapeXml(id)}">${escapeXml(title)}</h2>\n${blocks.map(block).join("\n")}\n</section>\n`;

function block(one: Block): string {
  switch (one.kind) {
    case "text":
      return `<p>${escapeXml(one.text)}</p>`;
    case "warning":
      return `<p class="warning" role="note"><strong>Note.</strong> ${escapeXml(one.text)}</p>`;
    case "list":
      return `<ul>${one.items.map((item) => `<li>${escapeXml(item)}</li>`).join("")}</ul>`;
    case "code":
      return `<pre class="code" tabindex="0">${escapeXml(one.text)}</pre>`;
    case "table":
      return table(one.table);
    case "figure":
      return `<figure tabindex="0">${one.figure.svg}<figcaption>${escapeXml(one.figure.caption)}</figcaption></figure>`;
    case "answers":
      return answers(one.answers);
    default:
      return one satisfies never;
  }
}

function table({ caption, columns, rows }: Table): string {
  const shown = shownColumns(columns);
  const head = shown
    .map(({ column }) => `<th scope="col" role="columnheader"${numeric(column)}>${escapeXml(column.label)}</th>`)
    .join("");
  const body = rows
    .map((row) => {
      const cells = shown.map(({ column, i }, place) => {
        const value = escapeXml(row[i]?.text ?? "");
        if (place === 0) return `<th scope="row" role="rowheader"${numeric(column)}>${value}</th>`;
        return `<td role="cell" data-label="${escapeXml(column.label)}"${numeric(column)}>${value}</td>`;
      });
      return `<tr role="row">${cells.join("")}</tr>`;
    })
    .join("\n");
  const words = shown.filter(({ column }, place) => place > 0 && column.numeric !== true);
  const long = words.some(({ i }) => rows.some((row) => (row[i]?.text.length ?? 0) > LONG));
  const wordy = long || words.length > MOST_COLUMNS;
  return `<div class="table${wordy ? " words" : ""}" tabindex="0" role="region" aria-label="${escapeXml(caption)}"><table role="table"><caption>${escapeXml(caption)}</caption><thead role="rowgroup"><tr role="row">${head}</tr></thead><tbody role="rowgroup">\n${body}\n</tbody></table></div>`;
}

/**
 * A cell of more characters, or more columns of words, have no room side by side on a telephone: there every row of their table is a block,
 * one line a cell.
 */
const [LONG, MOST_COLUMNS] = [20, 3];

const numeric = ({ numeric: is }: Column): string => (is === true ? ' class="number"' : "");

/** A long instruction is a short heading, and stands below it whole. */
function answers({ instruction, why, answers: given }: Answers): string {
  const heading = cut(instruction.trim().replace(/\s+/g, " "), HEADING);
  const whole =
    heading === instruction ? "" : `<pre class="instruction"${scrolls(instruction)}>${escapeXml(instruction)}</pre>`;
  const cards = given.map(
    ({ arm, text, note }) =>
      `<div class="answer"><h4>${escapeXml(arm)}</h4><p class="note">${escapeXml(note)}</p><pre${scrolls(text)}>${text === "" ? '<em class="nothing">nothing</em>' : escapeXml(text)}</pre></div>`,
  );
  return `<article class="answers"><h3>${escapeXml(heading)}</h3><p class="why">${escapeXml(why)}</p>${whole}<div class="side-by-side">${cards.join("")}</div></article>`;
}

/** Characters. */
const HEADING = 160;

/** What may be higher than its box is reached by the keyboard, too: more lines than 12, at the fewest characters that one holds. */
function scrolls(text: string): string {
  const lines = text.split("\n").reduce((sum, one) => sum + Math.max(1, Math.ceil(one.length / 26)), 0);
  return lines > 12 ? ' tabindex="0"' : "";
}
