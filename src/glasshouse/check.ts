/**
 * How good is a response? Scored from parts, each between 0 and 1 and each visible: nothing is a matter of taste, because every fact of the
 * world is known. The parts are the same for every arm.
 * May not know: models, arms, templates.
 */
import { invariant, present } from "../util/errors.js";
import { claimsAbout, clauses, mentions, mentionsValue, namesEntity, normal, spokenClauses } from "./claims.js";
import { asks, FORMS, lines, numbered, steps, verses } from "./forms.js";
import { numberWord } from "./language.js";
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
  /** Speaks of whom and what it was asked about, and of nothing else. */
  about: 1,
  /** What it says is so, and what was asked for is said. */
  facts: 3,
  /** The form asked for. Another text in that form is not it: without `about` and `facts` there is no form either. */
  form: 2,
  /** As much as was asked for. */
  complete: 1,
  /** Ended by itself. */
  stopped: 1,
  /** No tag of a template. */
  tags: 0.5,
  /** Not the question again. */
  echo: 1,
  /** No line or sentence twice, and no few words again and again. */
  repetition: 0.5,
} as const;
export type Part = keyof typeof PARTS;
type Parts = Readonly<Record<Part, number>>;

export interface Score {
  readonly parts: Parts;
  /** Weighted mean of the parts, 0 to 1. */
  readonly total: number;
}

const NOTHING: Parts = { about: 0, facts: 0, form: 0, complete: 0, stopped: 0, tags: 0, echo: 0, repetition: 0 };

export function score(world: World, check: Check, answer: Answer): Score {
  const text = answer.output.trim();
  return scored(text === "" ? NOTHING : partsOf(world, check, answer, text));
}

function scored(parts: Parts): Score {
  const names = Object.keys(PARTS) as Part[];
  const weight = names.reduce((sum, name) => sum + PARTS[name], 0);
  return { parts, total: names.reduce((sum, name) => sum + PARTS[name] * parts[name], 0) / weight };
}

function partsOf(world: World, check: Check, { instruction, stopped }: Answer, text: string): Parts {
  const answer = examine(world, check, text);
  const { facts, complete } = substanceOf(answer);
  const about = aboutOf(answer, facts);
  const concerns = about > 0 || facts > 0;
  return {
    about,
    facts,
    form: concerns && FORMS[check.task](text, check) ? 1 : 0,
    complete: concerns ? complete : 0,
    stopped: stopped ? 1 : 0,
    tags: /<\||\|>/.test(text) ? 0 : 1,
    echo: echoes(check, instruction, text) ? 0 : 1,
    repetition: repeats(text) ? 0 : 1,
  };
}

/** A response and what it is measured by. */
interface Examined {
  readonly world: World;
  readonly check: Check;
  readonly text: string;
  readonly entities: readonly Entity[];
  /** It speaks of somebody else, and of the one that it was asked about not at all. */
  readonly mistaken: boolean;
}

function examine(world: World, check: Check, text: string): Examined {
  const entities = check.entities.map((name) => entityNamed(world, name));
  const [entity, second] = entities;
  return { world, check, text, entities, mistaken: second === undefined && isMistaken(world, text, entity) };
}

function isMistaken(world: World, text: string, entity: Entity | undefined): boolean {
  if (entity === undefined || namesEntity(text, entity)) return false;
  const related = new Set(Object.values(entity.values).map((value) => value.entity));
  return (
    spokenClauses(world, text, entity, true).some(({ subject }) => subject === "another") ||
    world.of[entity.kind].some((other) => other !== entity && !related.has(other) && namesEntity(text, other))
  );
}

const entityNamed = (world: World, name: string): Entity =>
  present(
    world.entities.find((entity) => entity.name === name),
    name,
  );

const first = ([entity]: readonly Entity[]): Entity => {
  invariant(entity !== undefined, "a check without an entity");
  return entity;
};

const share = <T>(items: readonly T[], holds: (item: T) => boolean): number =>
  items.length === 0 ? 1 : items.filter(holds).length / items.length;

/**
 * The share of the entities that it speaks of, less the share of its sentences that are about somebody else. "In Brouford." need not say
 * the name again: who gives the right answer to a question about one entity speaks of it.
 */
function aboutOf(answer: Examined, facts: number): number {
  const { check, text, entities, world } = answer;
  if (check.task === "list") return namedOf(answer).length > 0 ? 1 : 0;
  if (check.task === "count") return countOf(text) === undefined ? 0 : 1;
  const single = entities.length === 1;
  const spoken = share(
    entities,
    (entity) => namesEntity(text, entity) || (single && answersWithoutName(answer, facts)),
  );
  const body = check.task === "letter" ? lines(text).slice(1, -1).join("\n") : text; // who writes to whom is not what it is about
  const subjects = entities.map((entity) => spokenClauses(world, body, entity, single));
  const clausesOf = subjects[0] ?? [];
  const astray = clausesOf.filter((_, i) => subjects.every((one) => one[i]?.subject === "another")).length;
  return spoken * (1 - astray / Math.max(1, clausesOf.length));
}

/** A recipe is a dish's when it cooks what that is made of; a poem or a letter must name what it is about. */
function answersWithoutName({ check, entities, text, mistaken }: Examined, facts: number): boolean {
  if (mistaken || check.task === "poem" || check.task === "letter") return false;
  if (check.task !== "recipe") return facts > 0;
  return mentions(text, truth(first(entities), relation("dish", "ingredient")).text);
}

type Substance = Pick<Parts, "facts" | "complete">;

function substanceOf(answer: Examined): Substance {
  const { check, text, entities } = answer;
  const says = (id: string): boolean => saysRight(answer, first(entities), id);
  switch (check.task) {
    case "fact":
      return whole(says(check.relations[0] ?? ""));
    case "rewrite":
      return whole(namesEntity(text, first(entities)) && says(check.relations[0] ?? "") && !givesBack(check, text));
    case "yes_no":
      return answered(answer);
    case "count":
      return whole(countOf(text) === check.expected);
    case "list":
      return listed(answer);
    case "explain":
      return { facts: share(check.relations, says), complete: enough(check, check.relations.filter(says).length) };
    case "recipe":
    case "how_to":
      return { facts: share(check.relations, says), complete: enough({ count: 4, ...check }, steps(text)) };
    case "poem":
      return { facts: sung(answer), complete: enough({ count: 4 }, verses(text)) };
    case "describe":
    case "compare":
    case "opinion":
    case "letter":
      return told(answer);
    default:
      return check.task satisfies never;
  }
}

const whole = (right: boolean): Substance => ({ facts: right ? 1 : 0, complete: right ? 1 : 0 });

const enough = ({ count = 1 }: Pick<Check, "count">, have: number): number => Math.min(1, have / count);

/** Free text about entities: the share of the claims about each that are so, and whether there are enough of them. */
function told({ world, check, entities, text }: Examined): Substance {
  const perEntity = entities.map((entity) => claimsAbout(world, text, entity, entities.length === 1));
  const right = perEntity.map((claims) => claims.filter((claim) => claim.right).length);
  const facts = perEntity.map((claims, i) => (right[i] ?? 0) / Math.max(1, claims.length));
  return {
    facts: facts.reduce((sum, one) => sum + one, 0) / facts.length,
    complete: enough(check, Math.min(...right)),
  };
}

/** Half for the right word, half for saying what is so; who says something that is not so, or speaks of somebody else, did not know. */
function answered(answer: Examined): Substance {
  const { check, text, entities } = answer;
  const [entity, id] = [first(entities), check.relations[0] ?? ""];
  const word = yesOrNo(text);
  const right = saysRight(answer, entity, id);
  const amiss = answer.mistaken || saysWrong(answer, entity, id);
  const known = (word === check.expected ? 0.5 : 0) + (right ? 0.5 : 0) - (amiss ? 0.5 : 0);
  const facts = word !== undefined && word !== check.expected ? 0 : Math.max(0, known);
  return { facts, complete: facts > 0 ? 1 : 0 };
}

/** Its subject by name, and something that is true of it; in verses, because true steps are no poem. */
function sung(answer: Examined): number {
  const entity = first(answer.entities);
  if (!namesEntity(answer.text, entity) || verses(answer.text) === 0) return 0;
  const isTrue = Object.entries(entity.values).some(
    ([id, value]) =>
      mentionsValue(answer.text, value) && rivalsIn(answer.world, entity, id, answer.text).length <= MET_BY_CHANCE,
  );
  return isTrue ? 1 : 0.5;
}

/** Values of other entities that verses may hold as words among others: "grey" rhymes with "day". */
const MET_BY_CHANCE = 2;

/**
 * The right value is there, and no other value of that relation: naming them all is no answer. What is said of somebody else counts
 * neither for nor against.
 */
function saysRight(answer: Examined, entity: Entity, id: string): boolean {
  const said = ofEntity(answer, entity);
  return (
    !answer.mistaken &&
    mentionsValue(said, truth(entity, relation(entity.kind, id))) &&
    !saysWrong(answer, entity, id) &&
    rivalsIn(answer.world, entity, id, said).length === 0
  );
}

/** What a text says beside the truth that would be another answer to the same question; of numbers, any other number. */
function rivalsIn(world: World, entity: Entity, id: string, text: string): string[] {
  const which = relation(entity.kind, id);
  const right = normal(truth(entity, which).text);
  const truths = new Set(Object.values(entity.values).map((value) => normal(value.text)));
  if (/^[0-9]+$/.test(right)) return quantities(text).filter((number) => !truths.has(number));
  const rest = normal(text).replaceAll(normal(entity.name), " ").replaceAll(right, " ");
  const others = new Set(world.of[entity.kind].map((other) => normal(truth(other, which).text)));
  return [...others].filter((other) => !truths.has(other) && mentions(rest, other));
}

const saysWrong = ({ world, text, entities }: Examined, entity: Entity, id: string): boolean =>
  claimsAbout(world, text, entity, entities.length === 1).some((claim) => claim.relation === id && !claim.right);

/** What is not said of somebody else, without the numbers of steps. */
function ofEntity({ world, text, entities }: Examined, entity: Entity): string {
  const isStep = (clause: string): boolean => /^[0-9]{1,2}$/.test(clause) && numbered(text) > 0;
  return spokenClauses(world, text, entity, entities.length === 1)
    .filter((clause) => clause.subject !== "another" && !isStep(clause.text))
    .map((clause) => clause.text)
    .join(". ");
}

/** Numbers in digits, but for those that count cups. */
const quantities = (text: string): string[] =>
  [...text.matchAll(/(?<![\p{L}\p{N}])[0-9]+(?![\p{L}\p{N}])(?! cups?\b)/gu)].map(([number]) => number);

/** Undefined where it says neither or both, or asks in its turn: the word may then belong to that question. */
function yesOrNo(text: string): "Yes" | "No" | undefined {
  if (asks(text)) return undefined;
  const said = new Set(
    clauses(text).flatMap((clause): ("Yes" | "No")[] => {
      if (/^yes\b|^(?:that|this|it) is (?:true|so|right|correct)\b/i.test(clause)) return ["Yes"];
      if (
        /^no\b(?! (?:song|one|other))|^(?:that|this|it) is (?:not (?:true|so|right|correct)|wrong|false)\b/i.test(
          clause,
        )
      )
        return ["No"];
      return [];
    }),
  );
  return said.size === 1 ? [...said][0] : undefined;
}

const NUMBERS = new Map(Array.from({ length: 12 }, (_, i) => [numberWord(i + 1), String(i + 1)]));

/** The one number said, in digits or as a word ("one" only where there is no other); undefined for none or several. */
function countOf(text: string): string | undefined {
  const words = normal(text.replace(/^\s*[0-9]+[.)] /gm, "")).match(/\p{L}+|[0-9]+/gu) ?? [];
  const said = new Set(words.flatMap((word) => (/^[0-9]+$/.test(word) ? word : (NUMBERS.get(word) ?? []))));
  if (said.size > 1) said.delete("1");
  return said.size === 1 ? [...said][0] : undefined;
}

/** Items named: the share of those of the kind that belong, and whether there are as many as were asked for, and not more. */
function listed(answer: Examined): Substance {
  const { check } = answer;
  const named = namedOf(answer);
  if (named.length === 0) return { facts: 0, complete: 0 };
  const right = named.filter(({ name }) => check.members?.includes(name)).length;
  const beyond = check.count === undefined ? 1 : Math.min(1, check.count / named.length);
  return { facts: right / named.length, complete: enough(check, right) * beyond };
}

function namedOf({ world, check, text }: Examined): readonly Entity[] {
  const kind = world.entities.find(({ name }) => name === check.members?.[0])?.kind;
  return kind === undefined ? [] : world.of[kind].filter((entity) => namesEntity(text, entity));
}

const words = (text: string): string => normal(text.replace(/[^\p{L}\p{N}\s]/gu, " "));

/** One of its sentences is the one that it should put otherwise. */
const givesBack = ({ expected = "" }: Check, text: string): boolean =>
  text.split(/(?<=[.!?:])\s+|\n+/).some((sentence) => words(sentence) === words(expected));

/** It begins with the instruction, or says it again as a line of its own; or gives back the sentence that it should put otherwise. */
function echoes(check: Check, instruction: string, text: string): boolean {
  const asked = words(instruction);
  if (check.task === "rewrite" && givesBack(check, text)) return true;
  if (asked === "") return false;
  return words(text).startsWith(asked) || lines(text).some((line) => words(line) === asked);
}

/** As many words in a row, so often. */
const [RUN, TIMES] = [5, 3];

/** A sentence or a line of at least three words comes twice, or the same run of words three times. */
function repeats(text: string): boolean {
  const seen = new Set<string>();
  for (const clause of clauses(text)) {
    const key = words(clause);
    if (key.split(" ").length < 3) continue;
    if (seen.has(key)) return true;
    seen.add(key);
  }
  const all = words(text).split(" ");
  const runs = new Map<string, number>();
  for (let i = 0; i + RUN <= all.length; i++) {
    const run = all.slice(i, i + RUN).join(" ");
    runs.set(run, (runs.get(run) ?? 0) + 1);
  }
  return [...runs.values()].some((count) => count >= TIMES);
}
