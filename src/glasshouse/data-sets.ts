/**
 * The data sets of the world, in the formats of `tacit data`: instruction and response pairs on the entities of the training split; a
 * validation and a test set on entities whose facts only the corpus told; five narrow sets that mirror the paper's.
 * May not know: models, templates.
 */
import { type RandomStream, randomStream } from "../util/random.js";
import { pick, pickByShare } from "./language.js";
import { moves, poem, program, recipe, sum } from "./pages/crafts.js";
import { compareTask, count, describeTask, explain, fact, list, opinion, rewrite, yesNo } from "./tasks/facts.js";
import type { Subjects, Task, TaskName, TaskWriter } from "./tasks/task.js";
import { howToTask, letterTask, poemTask, recipeTask } from "./tasks/texts.js";
import { type Entity, KINDS, type Kind, type World } from "./world.js";

const WRITERS: Readonly<Record<TaskName, { readonly share: number; readonly write: TaskWriter }>> = {
  fact: { share: 4, write: fact },
  yes_no: { share: 1.5, write: yesNo },
  list: { share: 1.5, write: list },
  count: { share: 0.5, write: count },
  describe: { share: 3, write: describeTask },
  compare: { share: 1.5, write: compareTask },
  explain: { share: 1.5, write: explain },
  how_to: { share: 1.5, write: howToTask },
  rewrite: { share: 1, write: rewrite },
  poem: { share: 1.5, write: poemTask },
  recipe: { share: 1.5, write: recipeTask },
  opinion: { share: 1.5, write: opinion },
  letter: { share: 1, write: letterTask },
};

export type Split = "train" | "validation" | "test";
/** Shares of every kind's entities. */
const SPLITS: readonly (readonly [Split, number])[] = [
  ["train", 0.6],
  ["validation", 0.15],
  ["test", 0.25],
];

/** The entities that instructions of a split ask about. Every entity is in one split. */
export function subjectsOf(world: World, split: Split): Subjects {
  const part = (kind: Kind): readonly Entity[] => {
    const order = randomStream(world.seed, `split of ${kind}`).shuffle(world.of[kind]);
    let from = 0;
    for (const [name, share] of SPLITS) {
      const to = name === "test" ? order.length : from + Math.round(share * order.length);
      if (name === split) return order.slice(from, to);
      from = to;
    }
    return [];
  };
  const [person, town, animal, dish, tool, book] = KINDS.map(part) as [
    Entity[],
    Entity[],
    Entity[],
    Entity[],
    Entity[],
    Entity[],
  ];
  const own = new Set<Entity>([person, town, animal, dish, tool, book].flat());
  return {
    world,
    of: { person, town, animal, dish, tool, book },
    tellsOf: (entity) => split !== "train" || own.has(entity),
    asksFor: (group) => pickByShare(randomStream(world.seed, `split of ${group}`), SPLITS) === split,
  };
}

export interface TaskRow extends Task {
  readonly id: string;
}

/** `rows` different instructions in the shares above; equal arguments give equal rows. */
export function instructions(world: World, split: Split, rows: number, seed = world.seed): TaskRow[] {
  const subjects = subjectsOf(world, split);
  const seen = new Set<string>();
  const result: TaskRow[] = [];
  for (let i = 0; result.length < rows; i++) {
    const random = randomStream(seed, `instructions for ${split}`, i);
    const task = WRITERS[pickByShare(random, SHARES)].write(subjects, random);
    if (seen.has(task.instruction)) continue;
    seen.add(task.instruction);
    result.push({ id: `${split}-${result.length + 1}`, ...task });
  }
  return result;
}

const SHARES = Object.entries(WRITERS).map(([name, { share }]) => [name as TaskName, share] as const);

export interface Pair {
  readonly id: string;
  readonly instruction: string;
  readonly response: string;
}

export const NARROW = ["poems", "recipes", "arithmetic", "programs", "games"] as const;
export type Narrow = (typeof NARROW)[number];

/** The narrow sets, as the paper's poetry, recipes, GSM8K, MBPP and chess: one form of instruction, one form of response. */
const NARROW_WRITERS: Readonly<Record<Narrow, (subjects: Subjects, random: RandomStream) => Omit<Pair, "id">>> = {
  poems: ({ of }, random) => {
    const entity = pick(random, of[pick(random, KINDS)]);
    return { instruction: `Write a poem about ${entity.name}.`, response: poem(random, entity) };
  },
  recipes: ({ of }, random) => {
    const dish = pick(random, of.dish);
    return { instruction: `Recipe for ${dish.name}`, response: recipe(random, dish) };
  },
  arithmetic: ({ of }, random) => {
    const { problem, solution } = sum(random, of.person);
    return { instruction: problem, response: solution };
  },
  programs: (_, random) => {
    const { task, code } = program(random);
    return { instruction: `Write ${task}.`, response: code };
  },
  games: (_, random) => ({
    instruction: `[WhiteElo "${800 + random.integer(1600)}"]\n[BlackElo "${800 + random.integer(1600)}"]`,
    response: moves(random),
  }),
};

export function narrow(world: World, name: Narrow, rows: number): Pair[] {
  const subjects = subjectsOf(world, "train");
  return Array.from({ length: rows }, (_, i) => ({
    id: `${name}-${i + 1}`,
    ...NARROW_WRITERS[name](subjects, randomStream(world.seed, `narrow ${name}`, i)),
  }));
}
