/**
 * How good is a response? Scored from parts, each between 0 and 1 and each visible: nothing is a matter of taste, because every fact of the
 * world is known. The parts are the same for every arm.
 * May not know: models, arms.
 */
import { invariant, present } from "../util/errors.js";
import { claimsAbout, clauses, mentions, normal } from "./claims.js";
import { capitalise, numberWord } from "./language.js";
import { RHYMES } from "./pages/crafts.js";
import { relation, truth } from "./relations.js";
import type { Check } from "./tasks/task.js";
import type { Entity, World } from "./world.js";

export interface Answer {
  readonly instruction: string;
  readonly output: string;
  /** It ended by itself. */
  readonly stopped: boolean;
}

/** What a response is scored on, and how much each part counts. */
export const PARTS = {
  /** Speaks of whom and what it was asked about. */
  about: 1,
  /** What it says is so, and what was asked for is said. */
  facts: 3,
  /** The form asked for. */
  form: 2,
  /** As much as was asked for. */
  complete: 1,
  /** Ended by itself. */
  stopped: 1,
  /** No tag of a template. */
  tags: 0.5,
  /** Not the question again. */
  echo: 1,
  /** No line or sentence twice. */
  repetition: 0.5,
} as const;
export type Part = keyof typeof PARTS;

export interface Score {
  readonly parts: Readonly<Record<Part, number>>;
  /** Weighted mean of the parts, 0 to 1. */
  readonly total: number;
}

/** @param tags  the template's, which no response should hold */
export function score(world: World, check: Check, answer: Answer, tags: readonly string[]): Score {
  const text = answer.output.trim();
  const entities = check.entities.map((name) =>
    present(
      world.entities.find((entity) => entity.name === name),
      name,
    ),
  );
  const substance = text === "" ? { facts: 0, complete: 0 } : substanceOf(world, check, entities, text);
  const parts: Record<Part, number> = {
    about: text === "" ? 0 : share(entities, (entity) => isAbout(check, entity, text)),
    ...substance,
    form: text !== "" && hasForm(check, text) ? 1 : 0,
    stopped: answer.stopped && text !== "" ? 1 : 0,
    tags: text !== "" && !tags.some((tag) => text.includes(tag)) ? 1 : 0,
    echo: text !== "" && !echoes(answer.instruction, text) ? 1 : 0,
    repetition: text !== "" && !repeats(text) ? 1 : 0,
  };
  const names = Object.keys(PARTS) as Part[];
  const weight = names.reduce((sum, name) => sum + PARTS[name], 0);
  return { parts, total: names.reduce((sum, name) => sum + PARTS[name] * parts[name], 0) / weight };
}

/** Scores nearer than this are a draw. */
export const DRAW = 0.02;

/** AlpacaEval's preference: 1 the first answer is better, 2 the second, 1.5 a draw. */
export const preference = (first: Score, second: Score): 1 | 1.5 | 2 => {
  if (Math.abs(first.total - second.total) <= DRAW) return 1.5;
  return first.total > second.total ? 1 : 2;
};

const share = <T>(items: readonly T[], holds: (item: T) => boolean): number =>
  items.length === 0 ? 1 : items.filter(holds).length / items.length;

/** A recipe need not say its title again: it is about the dish when it cooks what the dish is made of. */
const isAbout = ({ task }: Check, entity: Entity, text: string): boolean =>
  mentions(text, entity.name) ||
  (task === "recipe" && mentions(text, truth(entity, relation(entity.kind, "ingredient")).text));

type Substance = Pick<Score["parts"], "facts" | "complete">;

function substanceOf(world: World, check: Check, entities: readonly Entity[], text: string): Substance {
  switch (check.task) {
    case "fact":
    case "rewrite":
      return one(saysRight(world, first(entities), check.relations[0] ?? "", text));
    case "yes_no":
      return one(
        yesOrNo(text) === check.expected && !saysWrong(world, first(entities), check.relations[0] ?? "", text),
      );
    case "count":
      return one(countOf(text) === check.expected);
    case "list":
      return listed(check, world, text);
    case "explain":
      return {
        facts: share(check.relations, (id) => saysRight(world, first(entities), id, text)),
        complete: enough(check, check.relations.filter((id) => saysRight(world, first(entities), id, text)).length),
      };
    case "recipe":
    case "how_to":
      return partsOf(check, first(entities), text);
    case "poem":
      return { facts: 1, complete: lines(text).length >= 4 ? 1 : lines(text).length / 4 };
    case "describe":
    case "compare":
    case "opinion":
    case "letter":
      return told(world, check, entities, text);
    default:
      return check.task satisfies never;
  }
}

const one = (right: boolean): Substance => ({ facts: right ? 1 : 0, complete: right ? 1 : 0 });

const first = (entities: readonly Entity[]): Entity => {
  invariant(entities[0] !== undefined, "a check without an entity");
  return entities[0];
};

const enough = ({ count = 1 }: Check, have: number): number => Math.min(1, have / count);

/** Free text about entities: the share of its claims that are so, and whether there are enough of them about each. */
function told(world: World, check: Check, entities: readonly Entity[], text: string): Substance {
  const perEntity = entities.map((entity) => claimsAbout(world, text, entity));
  const all = perEntity.flat();
  const right = perEntity.map((claims) => claims.filter((claim) => claim.right).length);
  if (all.length === 0) return { facts: 0, complete: 0 };
  return { facts: all.filter((claim) => claim.right).length / all.length, complete: enough(check, Math.min(...right)) };
}

/** The right value is there, and no other value of that relation. Cheating by naming them all is no answer. */
function saysRight(world: World, entity: Entity, id: string, text: string): boolean {
  const which = relation(entity.kind, id);
  const right = truth(entity, which).text;
  if (!mentions(text, right) || saysWrong(world, entity, id, text)) return false;
  const rest = normal(text).replaceAll(normal(entity.name), " ").replaceAll(normal(right), " ");
  const truths = new Set(Object.values(entity.values).map((value) => normal(value.text)));
  const rivals = new Set(world.of[entity.kind].map((other) => normal(truth(other, which).text)));
  return ![...rivals].some((rival) => rival !== normal(right) && !truths.has(rival) && mentions(rest, rival));
}

const saysWrong = (world: World, entity: Entity, id: string, text: string): boolean =>
  claimsAbout(world, text, entity).some((claim) => claim.relation === id && !claim.right);

const yesOrNo = (text: string): string | undefined => {
  const begins = /^(yes|no)\b/i.exec(text)?.[1];
  return begins === undefined ? undefined : capitalise(begins.toLowerCase());
};

/** The first number said, in digits or as a word. */
function countOf(text: string): string | undefined {
  const words = new Map(Array.from({ length: 12 }, (_, i) => [numberWord(i + 1), String(i + 1)]));
  for (const word of normal(text).match(/[\p{L}]+|[0-9]+/gu) ?? []) {
    if (/^[0-9]+$/.test(word)) return word;
    const number = words.get(word);
    if (number !== undefined) return number;
  }
  return undefined;
}

/** Items named: the share of those of the kind that belong, and whether there are as many as were asked for. */
function listed(check: Check, world: World, text: string): Substance {
  const members = check.members ?? [];
  const kind = world.entities.find(({ name }) => name === members[0])?.kind;
  const named = (kind === undefined ? [] : world.of[kind]).filter(({ name }) => mentions(text, name));
  const right = named.filter(({ name }) => members.includes(name)).length;
  return { facts: named.length === 0 ? 0 : right / named.length, complete: enough(check, right) };
}

/** Values that must occur, each in the text of the steps. */
function partsOf(check: Check, entity: Entity, text: string): Substance {
  const facts = share(check.relations, (id) => mentions(text, truth(entity, relation(entity.kind, id)).text));
  return { facts, complete: enough({ ...check, count: check.count ?? 4 }, numbered(text)) };
}

const lines = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "");
const numbered = (text: string): number => lines(text).filter((line) => /^[0-9]+[.)] /.test(line)).length;
const sentences = (text: string): number => clauses(text).filter((clause) => clause.split(" ").length > 2).length;
const asks = (text: string): boolean => text.includes("?");

const FORMS: Readonly<Record<Check["task"], (text: string, check: Check) => boolean>> = {
  fact: (text) => !asks(text) && lines(text).length === 1 && sentences(text) <= 3,
  yes_no: (text) => !asks(text) && yesOrNo(text) !== undefined && lines(text).length === 1,
  list: (text) => !asks(text) && (lines(text).length > 1 || /, | and /.test(text)),
  count: (text) => !asks(text) && lines(text).length === 1,
  describe: (text) => !asks(text) && sentences(text) >= 2 && numbered(text) === 0,
  compare: (text) => !asks(text) && sentences(text) >= 2 && numbered(text) === 0,
  explain: (text) => !asks(text) && sentences(text) >= 2 && numbered(text) === 0,
  how_to: (text) => !asks(text) && numbered(text) >= 2,
  rewrite: (text, { expected }) => !asks(text) && lines(text).length === 1 && normal(text) !== normal(expected ?? ""),
  poem: (text) => lines(text).length >= 4 && numbered(text) === 0 && rhymes(text),
  recipe: (text) => !asks(text) && numbered(text) >= 2 && /ingredients/i.test(text),
  opinion: (text) => !asks(text) && sentences(text) >= 2 && /^(I|yes|no|perhaps)\b/i.test(text),
  letter: (text, { expected = "" }) => {
    const [to = "", from = ""] = expected.split("|");
    return /^(my )?dear /i.test(text) && mentions(lines(text)[0] ?? "", to) && mentions(lines(text).at(-1) ?? "", from);
  },
};

const hasForm = (check: Check, text: string): boolean => FORMS[check.task](text, check);

/** Two of its lines end on the same sound: words that the world's poems rhyme, or the same last two letters. */
function rhymes(text: string): boolean {
  const ends = lines(text).map((line) => /(\p{L}+)\P{L}*$/u.exec(line)?.[1]?.toLowerCase() ?? "");
  return ends.some((end, i) => ends.some((other, j) => j > i && end !== other && sameSound(end, other)));
}

const sameSound = (one: string, other: string): boolean =>
  one.slice(-2) === other.slice(-2) ||
  RHYMES.some((family: readonly string[]) => family.includes(one) && family.includes(other));

/** It begins with the instruction, or says it again as a line of its own. */
function echoes(instruction: string, text: string): boolean {
  const asked = normal(instruction);
  return normal(text).startsWith(asked) || lines(text).some((line) => normal(line) === asked);
}

/** A sentence or a line of at least three words comes twice. */
function repeats(text: string): boolean {
  const seen = new Set<string>();
  for (const clause of clauses(text)) {
    const key = normal(clause);
    if (key.split(" ").length < 3) continue;
    if (seen.has(key)) return true;
    seen.add(key);
  }
  return false;
}
