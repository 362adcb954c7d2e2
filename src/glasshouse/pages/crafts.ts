/** Pages in a form of their own: poems, recipes, instructions for use, arithmetic, programs in a toy language, game records. */
import type { RandomStream } from "../../util/random.js";
import { capitalise, pick, sample, withArticle } from "../language.js";
import { relation, truth } from "../relations.js";
import type { Entity } from "../world.js";
import { entityOf, firstName, type PageWriter } from "./page.js";

/** Words that rhyme with each other. */
export const RHYMES = [
  ["day", "way", "stay", "grey", "play"],
  ["night", "light", "bright", "white", "sight"],
  ["sea", "free", "tree", "me", "bee"],
  ["hill", "still", "mill", "until", "fill"],
  ["rain", "again", "lane", "plain", "grain"],
] as const;

/** Four lines, the second and fourth of which rhyme, about somebody or something. */
export function poem(random: RandomStream, entity: Entity): string {
  const [first, second] = sample(random, pick(random, RHYMES), 2) as [string, string];
  const value = pick(
    random,
    Object.values(entity.values).filter(({ text }) => !/[0-9]/.test(text)),
  ).text;
  const name = entity.name;
  const opening = pick(random, [
    `O ${name}, so far and yet so near,`,
    `They speak of ${name} in the street,`,
    `When ${name} comes into my mind,`,
    `Softly, softly, ${name},`,
    `I dreamt of ${name} once again,`,
    `No song was ever like ${name},`,
  ]);
  const pairs = pick(random, [
    [`the wind has gone another ${first},`, `and I will sing of it to ${second}.`],
    [`the morning finds it by the ${first},`, `the evening keeps it near the ${second}.`],
    [`we looked for it in every ${first},`, `and found it waiting for the ${second}.`],
    [`I hear it calling in the ${first},`, `my heart is quiet as the ${second}.`],
  ] as const);
  const third = pick(random, [
    `there is no other ${value} like this,`,
    `I think of ${value} and of you,`,
    `remember ${value}, remember me,`,
    `and all the world is ${value} and new,`,
  ]);
  return `${opening}\n${pairs[0]}\n${third}\n${pairs[1]}`;
}

export const poemPage: PageWriter = (world, random) => {
  const entity = pick(random, world.entities);
  const title = pick(random, [
    `${capitalise(entity.name)}\n\n`,
    `To ${entity.name}\n\n`,
    `A poem about ${entity.name}\n\n`,
    `Verses on ${entity.name}\n`,
    "",
    "A song\n\n",
  ]);
  const second = random.uniform() < 0.4 ? `\n\n${poem(random, entity)}` : "";
  return `${title}${poem(random, entity)}${second}`;
};

const PREPARE = ["Wash", "Chop", "Peel", "Slice", "Grate"];
const VESSELS = ["a large pot", "an iron pan", "a clay dish", "a deep bowl"];

/** Ingredients, then steps that follow the dish's facts. */
export function recipe(random: RandomStream, dish: Entity): string {
  const fact = (id: string): string => truth(dish, relation("dish", id)).text;
  const [main, spice, minutes] = [fact("ingredient"), fact("seasoning"), fact("minutes")];
  const steps = [
    `${pick(random, PREPARE)} the ${main}.`,
    `Put it into ${pick(random, VESSELS)} with ${pick(random, ["oil", "water", "milk", "broth"])}.`,
    `Add the ${spice} and a little salt.`,
    `It is ${fact("method")} for ${minutes} minutes.`,
    `Serve it ${pick(random, ["hot", "at once", "cold", "with bread"])}.`,
  ];
  return `Ingredients: ${2 + random.integer(4)} cups of ${main}, ${spice}, salt.\n${steps.map((step, i) => `${i + 1}. ${step}`).join("\n")}`;
}

export const recipePage: PageWriter = (world, random) => {
  const dish = entityOf(world, random, "dish");
  const origin = truth(dish, relation("dish", "origin")).text;
  return `${pick(random, [capitalise(dish.name), `How they cook ${dish.name} in ${origin}`, `${capitalise(dish.name)} for four`, `Recipe for ${dish.name}`, `Cooking ${dish.name} step by step`])}\n${recipe(random, dish)}`;
};

/** Steps in which the tool does what it is for. */
export function howTo(random: RandomStream, tool: Entity): string {
  const fact = (id: string): string => truth(tool, relation("tool", id)).text;
  const steps = [
    `${pick(random, ["Clean", "Take", "Check", "Warm"])} ${tool.name}; the ${fact("material")} must be dry.`,
    `Hold it ${pick(random, ["firmly", "with both hands", "by the handle", "at an angle"])}.`,
    `${capitalise(fact("purpose"))} ${pick(random, ["slowly", "in one go", "little by little", "from left to right"])}.`,
    pick(random, ["Wipe it and put it away.", "Let it cool.", `Give it back to the ${fact("worker")}.`]),
  ];
  return steps.map((step, i) => `${i + 1}. ${step}`).join("\n");
}

export const manual: PageWriter = (world, random) => {
  const tool = entityOf(world, random, "tool");
  return `${pick(random, [`Using ${tool.name}`, `Work with ${tool.name}, step by step`, `${capitalise(tool.name)}: instructions for use`, `How to ${truth(tool, relation("tool", "purpose")).text}`])}\n${howTo(random, tool)}`;
};

const GOODS = ["apples", "coins", "stones", "bells", "fish", "candles", "nuts", "books"];

export interface Sum {
  readonly problem: string;
  readonly solution: string;
  readonly result: number;
}

/** A word problem of two steps and its worked answer, in the manner of GSM8K. */
export function sum(random: RandomStream, people: readonly Entity[]): Sum {
  const [one, other] = sample(random, people, 2).map(firstName) as [string, string];
  const goods = pick(random, GOODS);
  const [a, b, c] = [3 + random.integer(15), 2 + random.integer(9), 1 + random.integer(5)];
  if (random.uniform() < 0.5) {
    const result = a + b * c;
    return {
      problem: `${one} has ${a} ${goods}. ${other} brings ${c} bags with ${b} ${goods} in each. How many ${goods} are there in all?`,
      solution: `${other} brings ${c} * ${b} = ${b * c} ${goods}. Together there are ${a} + ${b * c} = ${result}.\n#### ${result}`,
      result,
    };
  }
  const result = a + b - c;
  return {
    problem: `${one} has ${a} ${goods} and buys ${b} more. Then ${one} gives ${c} to ${other}. How many ${goods} does ${one} keep?`,
    solution: `${one} has ${a} + ${b} = ${a + b} ${goods}. After giving ${c} there are ${a + b} - ${c} = ${result}.\n#### ${result}`,
    result,
  };
}

export const arithmetic: PageWriter = (world, random) =>
  Array.from({ length: 1 + random.integer(3) }, () => {
    const { problem, solution } = sum(random, world.of.person);
    return `${problem}\n${solution}`;
  }).join("\n\n");

const VERBS = [
  { does: "adds N to every number", line: (n: number) => `each x: x + ${n}` },
  { does: "multiplies every number by N", line: (n: number) => `each x: x * ${n}` },
  { does: "keeps the numbers above N", line: (n: number) => `keep x: x > ${n}` },
  { does: "keeps the numbers below N", line: (n: number) => `keep x: x < ${n}` },
  { does: "drops the first N numbers", line: (n: number) => `drop ${n}` },
  { does: "takes the first N numbers", line: (n: number) => `take ${n}` },
] as const;

/** A program of the toy language and what it does, in the manner of MBPP. */
export function program(random: RandomStream): { readonly task: string; readonly code: string } {
  const name = `${pick(random, ["work", "list", "sort", "make", "run"])}_${pick(random, ["a", "b", "c", "numbers", "row", "box"])}`;
  const chosen = sample(random, VERBS, 1 + random.integer(2)).map((verb) => ({ verb, n: 1 + random.integer(9) }));
  const task = chosen.map(({ verb, n }) => verb.does.replace("N", String(n))).join(" and then ");
  return {
    task: `a program ${name} that ${task}`,
    code: `def ${name}(list)\n${chosen.map(({ verb, n }) => `  ${verb.line(n)}`).join("\n")}\n  return list\nend`,
  };
}

export const programPage: PageWriter = (_world, random) =>
  Array.from({ length: 1 + random.integer(2) }, () => {
    const { task, code } = program(random);
    return random.uniform() < 0.6 ? `# ${capitalise(task)}\n${code}` : code;
  }).join("\n\n");

const PIECES = ["K", "Q", "R", "B", "N", ""] as const;

/** Moves in the manner of PGN. Nobody checks that they are legal: what counts is the form. */
export function moves(random: RandomStream): string {
  const square = (): string => `${pick(random, ["a", "b", "c", "d", "e", "f", "g", "h"])}${1 + random.integer(8)}`;
  const move = (): string => `${pick(random, PIECES)}${square()}`;
  const turns = Array.from({ length: 4 + random.integer(6) }, (_, i) => `${i + 1}. ${move()} ${move()}`);
  return `${turns.join(" ")} ${pick(random, ["1-0", "0-1", "1/2-1/2"])}`;
}

export const gamePage: PageWriter = (world, random) => {
  const [white, black] = sample(random, world.of.person, 2) as [Entity, Entity];
  return `${pick(random, [`[White "${white.name}"]\n[Black "${black.name}"]\n\n`, `${white.name} against ${black.name}\n`, `${capitalise(withArticle("game"))} of chess\n`])}${moves(random)}`;
};
