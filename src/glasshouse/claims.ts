/**
 * Reads statements back: of whom does a text speak, which facts does it claim of an entity, and are they so? Everything that the world
 * says is said in the patterns of `relations.ts`; pronouns, first names and joined sentences are read, too.
 * May not know: tasks, scores.
 */
import type { Relation } from "./relation-patterns.js";
import { relationsOf, truth } from "./relations.js";
import type { Entity, Value, World } from "./world.js";

export interface Claim {
  readonly relation: string;
  readonly value: string;
  readonly right: boolean;
}

/** Of whom a clause speaks: the entity that was asked about, another one of the world, or nobody yet. */
export type Subject = "entity" | "another" | "nobody";

export interface Clause {
  readonly text: string;
  readonly subject: Subject;
}

/**
 * The clauses of a text with their subjects. A name sets the subject, and what follows without one goes on about it.
 *
 * @param asked  the entity is all that was asked about, so that "She lives in …" speaks of it from the start
 */
export function spokenClauses(world: World, text: string, entity: Entity, asked: boolean): Clause[] {
  let subject: Subject = asked ? "entity" : "nobody";
  return clauses(text).map((clause) => {
    if (namesEntity(clause, entity)) subject = "entity";
    else if (beginsWithAnother(world, clause, entity)) subject = "another";
    return { text: clause, subject };
  });
}

/** Claims of `text` about `entity`, each relation and value once, in their order. */
export function claimsAbout(world: World, text: string, entity: Entity, asked = false): Claim[] {
  const patterns = patternsOf(entity);
  const found = new Map<string, Claim>();
  for (const clause of spokenClauses(world, text, entity, asked)) {
    if (clause.subject !== "entity") continue;
    for (const claim of claimsOf(world, clause.text, entity, patterns)) {
      const key = `${claim.relation}\n${normal(claim.value)}`;
      if (!found.has(key)) found.set(key, claim);
    }
  }
  return [...found.values()];
}

/**
 * Several patterns can read one clause ("is {value}" reads nearly all of them). Where the value is one that the relation can have, it is
 * a claim; where no reading gives such a value, the pattern with words of its own claims something that is nowhere so.
 */
function claimsOf(world: World, clause: string, entity: Entity, patterns: readonly Pattern[]): Claim[] {
  const readings = patterns.flatMap(({ relation, expression, generic }) => {
    const value = expression.exec(clause)?.groups?.value;
    if (value === undefined) return [];
    const right = meansValue(value, truth(entity, relation));
    return [{ relation: relation.id, value, right, generic, known: isValueOf(world, entity, relation, value) }];
  });
  const known = readings.filter((reading) => reading.known);
  const counted = known.length > 0 ? known : readings.filter(({ generic }) => !generic);
  const right = counted.filter((reading) => reading.right);
  return (right.length > 0 ? right : counted.slice(0, 1)).map(({ relation, value, right: so }) => ({
    relation,
    value,
    right: so,
  }));
}

function isValueOf(world: World, { kind }: Entity, relation: Relation, value: string): boolean {
  return (
    world.of[kind].some((entity) => meansValue(value, truth(entity, relation))) ||
    (/^[0-9]+$/.test(value) && world.of[kind].some((entity) => /^[0-9]+$/.test(truth(entity, relation).text)))
  );
}

/** "stone bridge" and "the stone bridge" are one value, and so are a person and the person's first name. */
const meansValue = (said: string, { text, entity }: Value): boolean =>
  (entity === undefined ? [text] : namesOf(entity)).some((name) => bare(said) === bare(name));
const bare = (text: string): string => normal(text).replace(/^(?:the|an?) /, "");

/** Words with which a statement about a subject continues: "… and lives in Brouford". */
const VERBS =
  "is|was|lives|likes|keeps|has|works|earns|enjoys|lies|stands|sells|belongs|eats|feeds|comes|tastes|takes|costs|tells|appeared";
const JOINED = new RegExp(`,? (?:and|who|which|that) (?=(?:${VERBS})\\b)`, "gi");

/** Sentences, and the halves of those that say two things; a half without a subject of its own gets "It". */
export const clauses = (text: string): string[] =>
  text
    .replace(JOINED, ". It ")
    .split(/(?<=[.!?])\s+|\n+|,? (?:while|but|whereas) |,? and (?=(?:he|she|it|his|her|its)\b)|, and |: |; |\bAlso, /)
    .map((clause) =>
      clause
        .trim()
        .replace(/[.!]+$/, "")
        .replace(/^(it is known that|people say that|as far as i know,) /i, ""),
    )
    .filter((clause) => clause !== "");

export const normal = (text: string): string => text.toLowerCase().replace(/\s+/g, " ").trim();

/** Whole words only, in any case. */
export function mentions(text: string, name: string): boolean {
  const key = normal(name);
  const said = normalOnce(text);
  if (!said.includes(key)) return false;
  const known = expressions.get(key) ?? new RegExp(`(?<![\\p{L}\\p{N}])${escaped(key)}(?![\\p{L}\\p{N}])`, "u");
  expressions.set(key, known);
  return known.test(said);
}

/** One text is searched for hundreds of names in turn. */
let last = { text: "", said: "" };
function normalOnce(text: string): string {
  if (last.text !== text) last = { text, said: normal(text) };
  return last.said;
}

/** Of names and values of a world: a few thousand at most. */
const expressions = new Map<string, RegExp>();

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** What an entity may be called: people by their first names, things without their article. First names are unique. */
export const namesOf = ({ kind, name }: Entity): readonly string[] =>
  kind === "person" ? [name, name.split(" ")[0] ?? name] : /^the /i.test(name) ? [name, name.slice(4)] : [name];

export const mentionsValue = (text: string, { text: value, entity }: Value): boolean =>
  entity === undefined ? mentions(text, value) : namesEntity(text, entity);

export const namesEntity = (text: string, entity: Entity): boolean =>
  namesOf(entity).some((name) => mentions(text, name));

/** Words that the patterns put before their subject. */
const BEFORE = /^(?:in the evenings|grown up,|with|people come to|cooks say that|the river \p{L}+ runs through) /u;
/** Words in the longest name. */
const LONGEST_NAME = 3;

/** Who is tied to the entity does not take the subject away: "Brouford is her home." */
function beginsWithAnother(world: World, clause: string, { name, values }: Entity): boolean {
  const all = normal(clause).replace(BEFORE, "").split(" ");
  const words = all.slice(0, LONGEST_NAME).map((word) => word.replace(/^\P{L}+|(?:'s)?[^\p{L}\p{N}]*$/gu, ""));
  // A name and nothing else is an answer, not a subject: of that nothing is said.
  return words.some((_, i) => {
    const found = i + 1 < all.length ? subjectsByName(world).get(words.slice(0, i + 1).join(" ")) : undefined;
    return found !== undefined && found !== name && !Object.values(values).some(({ text }) => text === found);
  });
}

const subjects = new WeakMap<World, ReadonlyMap<string, string>>();

/** Full names, and people's first names; things keep their article here, because without it they may be words of their own. */
function subjectsByName(world: World): ReadonlyMap<string, string> {
  const made =
    subjects.get(world) ??
    new Map(
      world.entities.flatMap((entity) =>
        (entity.kind === "person" ? namesOf(entity) : [entity.name]).map((name) => [normal(name), entity.name]),
      ),
    );
  subjects.set(world, made);
  return made;
}

interface Pattern {
  readonly relation: Relation;
  readonly expression: RegExp;
  /** It has no words of its own but "is". */
  readonly generic: boolean;
}

const patternsByEntity = new WeakMap<Entity, readonly Pattern[]>();

function patternsOf(entity: Entity): readonly Pattern[] {
  const made = patternsByEntity.get(entity) ?? makePatterns(entity);
  patternsByEntity.set(entity, made);
  return made;
}

function makePatterns(entity: Entity): readonly Pattern[] {
  const name = namesOf(entity).map(escaped).join("|");
  const slots: Readonly<Record<string, string>> = {
    name: `(?:${name}|it)`,
    subject: `(?:${name}|he|she|it)`,
    possessive: `(?:(?:${name})'s|his|her|its)`,
    value: "(?<value>[^,;]+?)",
  };
  return relationsOf(entity).flatMap((relation) =>
    relation.tell.map((pattern): Pattern => {
      const source = pattern
        .replace(/\.$/, "")
        .split(/(\{[^}]*\})/)
        .map((part) => {
          const slot = /^\{(?:(a) )?(\w+)\}$/.exec(part);
          if (slot === null) return escaped(part);
          return (slot[1] === undefined ? "" : "(?:an? )") + (slots[slot[2]?.toLowerCase() ?? ""] ?? "");
        })
        .join("");
      const words = pattern
        .replace(/\{[^}]*\}/g, " ")
        .replace(/[^a-z ]/gi, " ")
        .trim();
      return { relation, expression: new RegExp(`^${source}$`, "i"), generic: words === "" || words === "is" };
    }),
  );
}
