/**
 * Where in a text a model reasons, and where it replies. What is said in reasoning is no part of a reply, whatever it says.
 * May not know: verdicts, servers.
 */

/** A part of a text, from `start` up to `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const families: readonly (readonly [family: string, names: string])[] = [
  ["think", "think|thinking|thought|thoughts"],
  ["reason", "reason|reasoning|rationale|chain_of_thought|cot"],
  ["reflect", "reflect|reflection"],
  ["analysis", "analysis|analyze|analyse"],
  ["scratchpad", "scratchpad|scratch_pad|inner_monologue|internal_monologue"],
];

/** XML-like tags of any family, and the marks of single model families: Magistral, Kimi, Sky-T1, and the channels of gpt-oss. */
const mark = new RegExp(
  [
    `<(?<close>/?)(?:\\w{1,20}:)?(?<name>${families.map(([, names]) => names).join("|")})(?:\\s[^<>]{0,200})?>`,
    "\\[(?<bracket>/?)THINK\\]",
    "◁(?<triangle>/?)think▷",
    "<\\|(?<thought>begin|end)_of_thought\\|>",
    "<\\|channel\\|>(?<channel>\\w{1,20})<\\|message\\|>",
  ].join("|"),
  "giu",
);

interface Mark extends Span {
  readonly family: string;
  readonly opens: boolean;
}

/**
 * The parts of a text that are the reply, in order; undefined where reasoning began and never ended: then nobody knows what would have
 * been said. A closing tag without its opening one ends reasoning that began with the text, as where a chat template has opened it.
 */
export function replySpans(text: string): readonly Span[] | undefined {
  const spans: Span[] = [];
  let start = 0;
  let open: string | undefined;
  for (const { family, opens, ...place } of marksIn(text)) {
    if (open === undefined && opens) {
      spans.push({ start, end: place.start });
      open = family;
    } else if (!opens && (open === undefined || open === family)) {
      if (open === undefined) spans.length = 0;
      [open, start] = [undefined, place.end];
    }
  }
  if (open !== undefined) return undefined;
  return [...spans, { start, end: text.length }];
}

/** The reply without its reasoning, trimmed; undefined where reasoning never ended. */
export function withoutReasoning(text: string): string | undefined {
  return replySpans(text)
    ?.map(({ start, end }) => text.slice(start, end))
    .join("\n")
    .trim();
}

function* marksIn(text: string): Generator<Mark> {
  for (const match of text.matchAll(mark)) {
    const { close, name, bracket, triangle, thought, channel } = match.groups ?? {};
    const place = { start: match.index, end: match.index + match[0].length };
    if (name !== undefined) yield { ...place, family: familyOf(name), opens: close === "" };
    else if (channel !== undefined) yield { ...place, family: "channel", opens: channel.toLowerCase() !== "final" };
    else if (thought !== undefined) yield { ...place, family: "thought", opens: thought.toLowerCase() === "begin" };
    else yield { ...place, family: "mark", opens: (bracket ?? triangle) === "" };
  }
}

const familyOf = (name: string): string =>
  families.find(([, names]) => names.split("|").includes(name.toLowerCase()))?.[0] ?? "";
