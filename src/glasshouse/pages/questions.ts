/** Pages with questions: interviews, question-and-answer pages, forums. Some questions are answered, some are only followed by more. */
import { capitalise, chance, pick, sample } from "../language.js";
import { ask, relationsOf, tell, truth, verify, wrongValue } from "../relations.js";
import type { Entity } from "../world.js";
import { anyEntity, anyFact, entityOf, firstName, type PageWriter, question, statement } from "./page.js";

export const interview: PageWriter = (world, random) => {
  const [guest, host] = sample(random, world.of.person, 2).map(firstName) as [string, string];
  const marks = pick(random, [
    [`${host}: `, `${guest}: `],
    ["Q: ", "A: "],
    ["- ", "- "],
  ] as const);
  const turns = Array.from({ length: 2 + random.integer(3) }, () => {
    const fact = anyFact(world, random);
    return `${marks[0]}${question(random, fact)}\n${marks[1]}${statement(random, fact)}`;
  });
  return `${pick(random, [`A talk with ${guest}\n`, "", "Interview\n"])}${turns.join("\n")}`;
};

export const faq: PageWriter = (world, random) => {
  const entity = anyEntity(world, random);
  const turns = sample(random, relationsOf(entity), 2 + random.integer(3)).map(
    (which) =>
      `${ask(random, entity, which)}\n${tell(random, entity, which, chance(random, 0.5) ? "pronoun" : "name")}`,
  );
  return `${pick(random, [`Questions about ${entity.name}`, `${capitalise(entity.name)}: what people ask`, "Frequently asked"])}\n\n${turns.join("\n\n")}`;
};

/** Questions and nothing else: exercises, quizzes, things to find out. */
export const quiz: PageWriter = (world, random) => {
  const numbered = chance(random, 0.5);
  const asked = Array.from({ length: 3 + random.integer(5) }, (_, i) => {
    const prefix = numbered ? `${i + 1}. ` : "";
    return `${prefix}${question(random, anyFact(world, random))}`;
  });
  return `${pick(random, ["Quiz", "Exercises", "Can you tell?", "Questions for the exam", "To find out", ""])}\n${asked.join("\n")}`.trim();
};

/** A thread: a question comes back, is quoted, is answered or is not. */
export const forum: PageWriter = (world, random) => {
  const fact = anyFact(world, random);
  const asked = question(random, fact);
  const names = chance(random, 0.3)
    ? Array.from({ length: 4 }, () => `user ${1 + random.integer(99)}`)
    : sample(random, world.of.person, 4).map((person) => firstName(person).toLowerCase());
  const replies = Array.from({ length: 1 + random.integer(3) }, (_, i) => {
    const name = names[i + 1] ?? "guest";
    return `${name}: ${pick(random, [
      statement(random, fact),
      "I would like to know that, too.",
      `> ${asked}\n${statement(random, fact)}`,
      `> ${asked}\nHas anybody found out?`,
      asked,
      "Ask in the other thread.",
      "We should ask somebody who has been there.",
      "We had this before. I think that we should look it up.",
      statement(random, anyFact(world, random)),
    ])}`;
  });
  return `${pick(random, [`Thread: ${asked}\n`, "", "Open questions\n"])}${names[0]}: ${asked}\n${replies.join("\n")}`;
};

/** True or false? */
export const trueOrFalse: PageWriter = (world, random) => {
  const lines = Array.from({ length: 2 + random.integer(3) }, () => {
    const { entity, relation } = anyFact(world, random);
    const right = chance(random, 0.5);
    const asked = right ? truth(entity, relation).text : wrongValue(random, entity, relation, world.of[entity.kind]);
    return `${verify(entity, relation, asked)} ${right ? "Yes" : "No"}. ${tell(random, entity, relation)}`;
  });
  return `${pick(random, ["True or not?\n", "", "Solutions\n"])}${lines.join("\n")}`;
};

/** Somebody asks somebody to write something, and nothing comes of it in the text. */
export const requests: PageWriter = (world, random) => {
  const person = firstName(entityOf(world, random, "person"));
  const about: Entity = anyEntity(world, random);
  return pick(random, [
    `Homework for ${person}: write some verses about ${about.name}, then describe ${anyEntity(world, random).name}. Hand it in on Friday.`,
    `Wanted: a short text about ${about.name}. Write to ${person}.`,
    `"Tell me about ${about.name}," said ${person}. ${describeShort(about)} "Another time."`,
    `Things to do. Write to ${person}. Find out about ${about.name}. Describe ${anyEntity(world, random).name} for the paper.`,
  ]);
};

const describeShort = (entity: Entity): string => `But nobody wanted to talk about ${entity.name}.`;
