/**
 * What a model knows of the world, by likelihood: is the right statement more likely than the same sentence with a wrong value? Asked in
 * the form of the corpus' own pages with questions, and under the default template.
 * May not know: how a model was made.
 */
import type { OpenedModel } from "../../engine/opened.js";
import { ability } from "../../engine/refusals.js";
import type { ScoreRequest } from "../../engine/requests.js";
import { templateFrom } from "../../options/template.js";
import type { Emitter } from "../../records/events.js";
import type { Knowledge } from "../../records/pretrain.js";
import { promptText } from "../../text/template.js";
import type { TextModel } from "../../text/tokenizer.js";
import { present, UserError } from "../../util/errors.js";
import type { FactRow } from "../facts.js";
import { KINDS } from "../world.js";

/** The text before a statement. */
const FORMS: Readonly<Record<string, (row: FactRow) => string>> = {
  page: ({ entity, instruction }) => `Questions about ${entity}\n\n${instruction}\n`,
  template: ({ instruction }) => promptText(templateFrom(), instruction, "first"),
};

export interface KnowledgeWatch {
  readonly signal?: AbortSignal | undefined;
  readonly say?: Pick<Emitter, "begin" | "progress">;
}

/**
 * Sums of log-probabilities are compared: the sentences differ in their value alone. A tie counts as not more likely.
 *
 * @throws UserError  the engine does not score, or the tokenizer joins a question's end with its answer's beginning
 */
export async function measureKnowledge(
  model: OpenedModel,
  rows: readonly FactRow[],
  { signal, say }: KnowledgeWatch = {},
): Promise<Knowledge> {
  const [score, { text }] = [ability(model, "score"), model];
  const requests = Object.entries(FORMS).flatMap(([form, before]) =>
    rows.flatMap((row, fact) =>
      [row.response, ...row.wrong].map((statement, i) => requestOf(text, before(row), statement, [form, fact, i])),
    ),
  );
  say?.begin({ total: requests.length, unit: "statements", reused: 0 });
  const sums = new Map<string, number>();
  for await (const { id, logprobs } of score(requests, signal === undefined ? {} : { signal })) {
    sums.set(
      id,
      logprobs.reduce((sum, value) => sum + value, 0),
    );
    say?.progress({ done: sums.size });
  }
  const beaten = (form: string): Beaten[] =>
    rows.map(({ wrong }, fact) => {
      const sum = (i: number): number => present(sums.get(placeOf([form, fact, i])), "score");
      return { of: wrong.length, beaten: wrong.filter((_, i) => sum(0) > sum(i + 1)).length };
    });
  return {
    facts: rows.length,
    against: Math.max(0, ...rows.map(({ wrong }) => wrong.length)),
    forms: Object.fromEntries(Object.keys(FORMS).map((form) => [form, sharesOf(beaten(form))])),
    kinds: Object.fromEntries(
      KINDS.filter((kind) => rows.some((row) => row.kind === kind)).map((kind) => [
        kind,
        sharesOf(beaten("page").filter((_, i) => rows[i]?.kind === kind)).first,
      ]),
    ),
  };
}

type Key = readonly [form: string, fact: number, statement: number];
const placeOf = (key: Key): string => key.join(" ");

/** Wrong statements about one fact, and how many of them are less likely than the right one. */
interface Beaten {
  readonly of: number;
  readonly beaten: number;
}

function sharesOf(all: readonly Beaten[]): Knowledge["forms"][string] {
  const sum = (value: (one: Beaten) => number): number => all.reduce((total, one) => total + value(one), 0);
  const share = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole);
  return {
    first: share(
      sum((one) => (one.beaten === one.of ? 1 : 0)),
      all.length,
    ),
    pairs: share(
      sum((one) => one.beaten),
      sum((one) => one.of),
    ),
  };
}

function requestOf({ tokenizer }: TextModel, before: string, statement: string, key: Key): ScoreRequest {
  const promptIds = tokenizer.encode(before);
  const ids = tokenizer.encode(before + statement);
  // Questions end with a line break, which most tokenizers keep apart from what follows.
  if (!promptIds.every((id, i) => ids[i] === id))
    throw new UserError(`the tokenizer joins the end of a question with the beginning of its answer: ${statement}`, {
      remedy: "facts can be asked of models whose tokenizer keeps line breaks apart",
    });
  return { id: placeOf(key), promptIds, responseIds: ids.slice(promptIds.length) };
}
