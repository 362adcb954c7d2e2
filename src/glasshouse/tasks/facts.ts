/** Tasks that ask for what is so: single facts, yes or no, lists, counts, descriptions, comparisons, explanations, opinions. */
import type { RandomStream } from "../../util/random.js";
import { capitalise, chance, enumerate, numberWord, pick, sample } from "../language.js";
import { compare, type SharedGroup, sharedGroup } from "../pages/encyclopaedia.js";
import { ask, describe, relation, relationsOf, tell, tellWith, truth, verify, wrongValue } from "../relations.js";
import { type Entity, KINDS } from "../world.js";
import type { Check, Subjects, TaskName, TaskWriter } from "./task.js";

const anyOf = ({ of }: Subjects, random: RandomStream): Entity => pick(random, of[pick(random, KINDS)]);

const check = ({ world }: Subjects, task: TaskName, entities: readonly Entity[], rest: Partial<Check> = {}): Check => ({
  task,
  world: world.seed,
  entities: entities.map(({ name }) => name),
  relations: [],
  ...rest,
});

/** Responses begin in as many ways as people's do: where all begin alike, greedy decoding learns the beginning and nothing else. */
const LEADS = [
  "As far as I know, ",
  "That is well known: ",
  "Let me see. ",
  "I looked it up: ",
  "People say that ",
  "Of course. ",
];

function withLead(random: RandomStream, text: string, properName: string): string {
  if (chance(random, 0.75)) return text;
  const lead = pick(random, LEADS);
  const lowers = /(: |, |that )$/.test(lead) && !text.startsWith(capitalise(properName));
  const continued = lowers || (properName[0] !== properName[0]?.toUpperCase() && /(: |, |that )$/.test(lead));
  return lead + (continued ? (text[0] ?? "").toLowerCase() + text.slice(1) : text);
}

export const fact: TaskWriter = (subjects, random) => {
  const entity = anyOf(subjects, random);
  const which = pick(random, relationsOf(entity));
  const answer = withLead(random, tell(random, entity, which), entity.name);
  return {
    instruction: ask(random, entity, which),
    response: answer,
    check: check(subjects, "fact", [entity], { relations: [which.id] }),
  };
};

export const yesNo: TaskWriter = (subjects, random) => {
  const entity = anyOf(subjects, random);
  const which = pick(random, relationsOf(entity));
  const right = chance(random, 0.5);
  const value = right ? truth(entity, which).text : wrongValue(random, entity, which, subjects.world.of[entity.kind]);
  const expected = right ? "Yes" : "No";
  return {
    instruction: verify(entity, which, value),
    response: `${expected}${pick(random, [". ", "! ", ". In fact: "])}${tell(random, entity, which)}`,
    check: check(subjects, "yes_no", [entity], { relations: [which.id], expected }),
  };
};

export const list: TaskWriter = (subjects, random) => {
  const mayTell = (group: SharedGroup): readonly Entity[] => group.members.filter(subjects.tellsOf);
  let group = sharedGroup(subjects.world, random);
  while (mayTell(group).length < 2 || !subjects.asksFor(group.title)) group = sharedGroup(subjects.world, random);
  const count = Math.min(mayTell(group).length, 2 + random.integer(3));
  const items = sample(random, mayTell(group), count).map(({ name }) => name);
  const number = numberWord(count);
  return {
    instruction: pick(random, [
      `Name ${number} ${group.title}.`,
      `List ${number} ${group.title}.`,
      `Give me ${number} ${group.title}.`,
      `Which ${group.title} do you know? ${capitalise(number)} are enough.`,
    ]),
    response: pick(random, [
      items.map((name) => `- ${name}`).join("\n"),
      items.map((name, i) => `${i + 1}. ${name}`).join("\n"),
      `${capitalise(enumerate(items))}.`,
      `Some ${group.title} are ${enumerate(items)}.`,
    ]),
    check: check(subjects, "list", [], {
      relations: [group.relationId],
      count,
      members: group.members.map(({ name }) => name),
    }),
  };
};

export const count: TaskWriter = (subjects, random) => {
  let group = sharedGroup(subjects.world, random);
  while (!subjects.asksFor(group.title)) group = sharedGroup(subjects.world, random);
  const { title, members, relationId } = group;
  const number = numberWord(members.length);
  const are = members.length === 1 ? "is" : "are";
  return {
    instruction: pick(random, [`How many ${title} are there?`, `Count the ${title}.`]),
    response: pick(random, [
      `There ${are} ${number} of them.`,
      ...(members.every(subjects.tellsOf)
        ? [`I know of ${number}: ${enumerate(members.map(({ name }) => name))}.`]
        : []),
      `${capitalise(number)}.`,
    ]),
    check: check(subjects, "count", [], { relations: [relationId], expected: String(members.length) }),
  };
};

export const describeTask: TaskWriter = (subjects, random) => {
  const entity = anyOf(subjects, random);
  const facts = 3 + random.integer(3);
  return {
    instruction: pick(random, [
      `Tell me about ${entity.name}.`,
      `Describe ${entity.name}.`,
      `What do you know about ${entity.name}?`,
      `Write a short text about ${entity.name}.`,
      `I have never heard of ${entity.name}. What should I know?`,
    ]),
    response: describe(random, entity, facts),
    check: check(subjects, "describe", [entity], { count: 3 }),
  };
};

export const compareTask: TaskWriter = (subjects, random) => {
  const kind = pick(random, KINDS);
  const [one, other] = sample(random, subjects.of[kind], 2) as [Entity, Entity];
  return {
    instruction: pick(random, [
      `How do ${one.name} and ${other.name} differ?`,
      `Compare ${one.name} with ${other.name}.`,
      `What is the difference between ${one.name} and ${other.name}?`,
    ]),
    response: compare(random, one, other, 2 + random.integer(2)).replace(/^How do [^?]*\? /, ""),
    check: check(subjects, "compare", [one, other], { count: 2 }),
  };
};

/** Why: two facts that speak for it, after a "because". */
const WHY: Readonly<
  Record<string, { readonly asks: readonly string[]; readonly relations: readonly [string, string] }>
> = {
  town: { asks: ["Why do people visit N?", "Explain why N is worth a journey."], relations: ["product", "landmark"] },
  dish: { asks: ["Why do people like N?", "Explain why N tastes as it does."], relations: ["seasoning", "taste"] },
  tool: { asks: ["Why would somebody need N?", "Explain what makes N useful."], relations: ["purpose", "worker"] },
  animal: { asks: ["Why is N hard to find?", "Explain how N stays alive."], relations: ["home", "food"] },
};

export const explain: TaskWriter = (subjects, random) => {
  const kind = pick(random, ["town", "dish", "tool", "animal"] as const);
  const entity = pick(random, subjects.of[kind]);
  const { asks, relations } = WHY[kind] as (typeof WHY)[string];
  const said = random.shuffle(relations).map((id, i) => {
    const which = relation(kind, id);
    return i === 0 ? tell(random, entity, which) : tell(random, entity, which, "pronoun");
  });
  const opening = pick(random, [
    "There are two reasons.",
    "It is simple.",
    "This is because of two things.",
    "The answer lies in what it is.",
  ]);
  return {
    instruction: pick(random, asks).replace("N", entity.name),
    response: pick(random, [
      `${opening} ${said.join(" ")}`,
      `${said.join(" ")} That is why.`,
      `${said[0]} Also, ${lowerFirst(said[1] ?? "", entity.name)}`,
    ]),
    check: check(subjects, "explain", [entity], { relations: [...relations], count: 2 }),
  };
};

const lowerFirst = (text: string, name: string): string =>
  text.startsWith(name) ? text : (text[0] ?? "").toLowerCase() + text.slice(1);

export const opinion: TaskWriter = (subjects, random) => {
  const kind = pick(random, ["town", "book", "dish", "tool"] as const);
  const entity = pick(random, subjects.of[kind]);
  const asks = {
    town: `Should I visit ${entity.name}?`,
    book: `Is ${entity.name} worth reading?`,
    dish: `Should I try ${entity.name}?`,
    tool: `Is ${entity.name} worth its price?`,
  } as const;
  const good = chance(random, 0.6);
  return {
    instruction: pick(random, [asks[kind], `What do you think of ${entity.name}?`]),
    response: `${pick(random, good ? ["I would say yes.", "Yes, I think so.", "I like it."] : ["I would rather not.", "Perhaps not.", "I am not sure."])} ${describe(random, entity, 2)}`,
    check: check(subjects, "opinion", [entity], { count: 1 }),
  };
};

/** The same fact in other words. */
export const rewrite: TaskWriter = (subjects, random) => {
  const entity = anyOf(subjects, random);
  const several = relationsOf(entity).filter(({ tell: patterns }) => naming(patterns).length > 1);
  const which = pick(random, several);
  const [given, other] = sample(random, naming(which.tell), 2).map((pattern) =>
    tellWith(pattern, entity, which, "name"),
  ) as [string, string];
  return {
    instruction: pick(random, [
      `Say this in other words: ${given}`,
      `Rewrite this sentence: ${given}`,
      `How else can one say this? ${given}`,
    ]),
    response: other,
    check: check(subjects, "rewrite", [entity], { relations: [which.id], expected: given }),
  };
};

const naming = (patterns: readonly string[]): readonly string[] =>
  patterns.filter((pattern) => /\{(name|[Ss]ubject|[Pp]ossessive)\}/.test(pattern));
