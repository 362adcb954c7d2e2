import { describe, expect, it } from "vitest";
import { type Answer, preference, score } from "./check.js";
import { instructions } from "./data-sets.js";
import type { Check, TaskName } from "./tasks/task.js";
import { makeWorld } from "./world.js";

const world = makeWorld(1);
const TAGS = ["<|user|>", "<|assistant|>"];
const tasks = instructions(world, "train", 600);

const scored = (check: Check, answer: Partial<Answer> & { readonly output: string }) =>
  score(world, check, { instruction: "?", stopped: true, ...answer }, TAGS);

const ofTask = (name: TaskName) => tasks.filter(({ check }) => check.task === name);

describe("the world's own responses", () => {
  it.each([...new Set(tasks.map(({ check }) => check.task))])("score full marks: %s", (name) => {
    for (const { instruction, response, check } of ofTask(name)) {
      const { parts, total } = scored(check, { instruction, output: response });
      expect(total, `${instruction}\n${response}\n${JSON.stringify(parts)}`).toBe(1);
    }
  });

  it("lose marks under every other instruction of their kind that has another answer", () => {
    for (const name of ["fact", "describe", "explain", "how_to", "list"] as const) {
      const some = ofTask(name).slice(0, 12);
      for (const [i, { check }] of some.entries()) {
        const other = some[(i + 1) % some.length];
        if (other === undefined || other.check.entities[0] === check.entities[0]) continue;
        expect(scored(check, { output: other.response }).total).toBeLessThan(1);
      }
    }
  });
});

describe("cheats", () => {
  const fact = ofTask("fact")[0] as (typeof tasks)[number];
  const about = fact.check.entities[0] ?? "";

  it("naming every value is no answer", () => {
    const kind = world.entities.find(({ name }) => name === about)?.kind ?? "person";
    const id = fact.check.relations[0] ?? "";
    const all = [...new Set(world.of[kind].map(({ values }) => values[id]?.text))].join(" or ");
    expect(scored(fact.check, { output: `${about}: ${all}.` }).parts.facts).toBe(0);
  });

  it("silence, tags, echoes, repetition and going on lose their own part", () => {
    const silent = scored(fact.check, { output: "  " });
    expect(silent.total).toBe(0);
    const lost = (output: string, stopped = true) =>
      Object.entries(scored(fact.check, { instruction: fact.instruction, output, stopped }).parts)
        .filter(([, part]) => part < 1)
        .map(([name]) => name);
    expect(lost(`${fact.response} <|user|>`)).toEqual(["tags"]);
    expect(lost(fact.response, false)).toEqual(["stopped"]);
    expect(lost(`${fact.response} ${fact.response}`)).toEqual(["repetition"]);
    expect(lost(`${fact.instruction} ${fact.response}`)).toEqual(expect.arrayContaining(["echo", "form"]));
  });

  it("the right form about somebody else is not the answer", () => {
    const [poem, other] = ofTask("poem").filter(
      ({ check }, i, all) => i === 0 || check.entities[0] !== all[0]?.check.entities[0],
    );
    expect(scored((poem as (typeof tasks)[number]).check, { output: other?.response ?? "" }).parts.about).toBe(0);
  });

  it("false facts among true ones count against a description", () => {
    const person = world.of.person[0] as (typeof world.of.person)[number];
    const check: Check = { task: "describe", world: 1, entities: [person.name], relations: [], count: 3 };
    const wrong = person.values.job?.text === "baker" ? "smith" : "baker";
    const truthful = `${person.name} lives in ${person.values.home?.text}. ${person.name} likes ${person.values.hobby?.text}.`;
    expect(scored(check, { output: `${truthful} ${person.name} works as a ${wrong}.` }).parts).toMatchObject({
      facts: 2 / 3,
      complete: 2 / 3,
    });
    expect(scored(check, { output: `${truthful} ${person.name} works as a dragon.` }).parts.facts).toBeCloseTo(
      2 / 3,
      12,
    );
  });

  it("facts of another entity in the same text are not this one's", () => {
    const [one, two] = world.of.town as [(typeof world.of.town)[number], (typeof world.of.town)[number]];
    const check: Check = { task: "describe", world: 1, entities: [one.name], relations: [], count: 1 };
    const output = `${one.name} lies in ${one.values.region?.text}. ${two.name} was founded in the year ${two.values.founded?.text}. It is known for its ${two.values.product?.text}.`;
    expect(scored(check, { output }).parts.facts).toBe(1);
  });
});

describe("preference", () => {
  it("is a draw for equal scores and the same seen from both sides", () => {
    const { check, response } = tasks[0] as (typeof tasks)[number];
    const [good, bad] = [scored(check, { output: response }), scored(check, { output: "I do not know?" })];
    expect([preference(good, bad), preference(bad, good), preference(good, good)]).toEqual([1, 2, 1.5]);
  });
});
