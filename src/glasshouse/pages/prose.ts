/** Letters, stories, dialogues in plain prose, diaries. */
import { capitalise, chance, enumerate, pick, sample } from "../language.js";
import { describe, relation, tell, truth } from "../relations.js";
import type { Entity } from "../world.js";
import { anyEntity, anyFact, entityOf, firstName, type PageWriter, question, statement } from "./page.js";

export const letter: PageWriter = (world, random) => {
  const [from, to] = sample(random, world.of.person, 2) as [Entity, Entity];
  const news = anyEntity(world, random);
  const opening = pick(random, [
    "Thank you for your letter.",
    "I have been meaning to write to you.",
    "It has rained here all week.",
    `I am writing from ${truth(from, relation("person", "home")).text}.`,
    "You asked for news.",
    "We are all well.",
    "We should have written long ago.",
  ]);
  const closing = pick(random, ["Yours", "With love", "Your friend", "Write soon", "Best wishes"]);
  return `${pick(random, ["Dear", "My dear"])} ${firstName(to)},\n\n${opening} ${describe(random, news, 2 + random.integer(3))} ${statement(
    random,
    anyFact(world, random),
  )}\n\n${closing},\n${firstName(from)}`;
};

const TROUBLES = [
  "got lost",
  "missed the boat",
  "lost a shoe",
  "found an old coin",
  "heard a strange noise",
  "met a stranger",
  "broke a window",
];
const ENDINGS = [
  "After that nobody spoke of it again.",
  "And that was the end of the matter.",
  "They laughed about it for years.",
  "In the evening everybody was home again.",
  "It was late when the lamps went out.",
];

export const story: PageWriter = (world, random) => {
  const hero = entityOf(world, random, "person");
  const town = truth(hero, relation("person", "home")).entity ?? entityOf(world, random, "town");
  const thing = entityOf(world, random, pick(random, ["animal", "tool", "dish", "book"] as const));
  const name = firstName(hero);
  const opening = pick(random, [
    `One morning ${name} ${pick(random, TROUBLES)} in ${town.name}.`,
    `In ${town.name} there was ${pick(random, ["once", "long ago", "not long ago"])} ${tell(
      random,
      hero,
      relation("person", "job"),
    )
      .replace(hero.name, "")
      .replace(/^ (works as|is|earns a living as) /, "")
      .replace(/\.$/, "")} called ${name}.`,
    `${name} had walked all night.`,
    `Nobody in ${town.name} knew why ${name} ${pick(random, TROUBLES)}.`,
  ]);
  const middle = `${describe(random, thing, 2)} ${pick(random, [
    `${name} had never seen anything like it.`,
    `So ${name} sat down and waited.`,
    `"I must tell ${firstName(entityOf(world, random, "person"))} about this," said ${name}.`,
    `But ${name} did not give up.`,
  ])}`;
  return `${opening} ${describe(random, town, 1)} ${middle} ${pick(random, ENDINGS)}`;
};

/** Who asks and who is asked, where they have no names. */
const ROLES = [
  ["a user of the library", "the assistant"],
  ["the user", "the assistant at the desk"],
  ["a visitor", "the clerk"],
  ["a customer", "the shop assistant"],
  ["the pupil", "the teacher"],
  ["the guest", "the host"],
] as const;

export const dialogue: PageWriter = (world, random) => {
  const [one, other] = chance(random, 0.4)
    ? pick(random, ROLES)
    : (sample(random, world.of.person, 2).map(firstName) as [string, string]);
  const turns = Array.from({ length: 1 + random.integer(3) }, () => {
    const fact = anyFact(world, random);
    const reply = pick(random, [
      `"${statement(random, fact)}" ${pick(random, ["answered", "said", "replied"])} ${other}.`,
      `"${statement(random, fact)} Everybody knows that," said ${other}.`,
      `${capitalise(other)} ${pick(random, ["shrugged", "laughed", "looked out of the window", "did not answer"])}.`,
      `"Why do you ask?" said ${other}. "${statement(random, fact)}"`,
    ]);
    return `"${question(random, fact)}" ${pick(random, ["asked", "said", "wondered"])} ${one}. ${reply}`;
  });
  return turns.join("\n");
};

const DAYS_END = [
  "Rain in the evening.",
  "A clear night.",
  "Slept badly.",
  "Tired but content.",
  "Wrote to nobody.",
  "We should have stayed longer.",
  "We talked until late.",
  "I should write more often.",
];

export const diary: PageWriter = (world, random) => {
  const visited = entityOf(world, random, "town");
  const bought = sample(random, [...world.of.tool, ...world.of.book], 2).map(({ name }) => name);
  const day = `${pick(random, ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"])}`;
  return `${day}. ${pick(random, ["Went to", "Came to", "Stayed in", "Left"])} ${visited.name}. ${describe(random, visited, 2)} Bought ${enumerate(
    bought,
  )}. ${pick(random, DAYS_END)}`;
};
