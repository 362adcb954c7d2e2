import { describe, expect, it } from "vitest";
import { claimsAbout, namesEntity } from "./claims.js";
import { openCorpus, PAGES } from "./corpus.js";
import { instructions, NARROW, narrow, subjectsOf } from "./data-sets.js";
import { factRows } from "./facts.js";
import { KINDS, makeWorld, type World } from "./world.js";

const world = makeWorld(1);
const pages = Array.from({ length: 3000 }, (_, index) => index).map(openCorpus(world, { seed: 1, contamination: 0 }));

describe("the world", () => {
  it("is a function of its seed, and every name is one entity's", () => {
    // As texts: entities name each other, and a comparison would walk every path through them.
    const told = ({ entities }: World) =>
      entities.map(({ name, values }) => [name, ...Object.values(values).map(({ text }) => text)]);
    expect(told(makeWorld(1))).toEqual(told(world));
    expect(makeWorld(2).entities[0]?.name).not.toBe(world.entities[0]?.name);
    const names = world.entities.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names).toHaveLength(320);
  });

  it("names only entities of its own", () => {
    for (const { values } of world.entities)
      for (const { entity } of Object.values(values))
        if (entity !== undefined) expect(world.entities.includes(entity)).toBe(true);
  });
});

describe("pages", () => {
  it("come in the shares that are stated", () => {
    for (const [kind, { share }] of Object.entries(PAGES)) {
      const found = pages.filter((one) => one.kind === kind).length / pages.length;
      // five standard deviations of a share among 3,000 pages
      expect(Math.abs(found - share), kind).toBeLessThan(5 * Math.sqrt((share * (1 - share)) / pages.length));
    }
  });

  it("hold no tag of a template, and no instruction with its response under one", () => {
    for (const { text } of pages) {
      expect(/<\||\|>|undefined|\{|\}|^\s|\s$/.test(text), text).toBe(false);
    }
  });

  it("tell what test instructions ask about", () => {
    const asked = new Set(factRows(world, "test").map(({ id }) => id));
    const told = new Set<string>();
    for (const entity of KINDS.flatMap((kind) => subjectsOf(world, "test").of[kind]))
      for (const { text } of pages.filter((one) => namesEntity(one.text, entity)))
        for (const { relation, right } of claimsAbout(world, text, entity)) {
          const id = `${entity.name}: ${relation}`;
          if (right && asked.has(id)) told.add(id);
        }
    // 95 % within these pages, all of them within 12,000; a base model reads eight times as many.
    expect(told.size / asked.size).toBeGreaterThan(0.9);
  });
});

describe("the data sets", () => {
  it("ask about entities of their own split alone", () => {
    const names = (split: "train" | "validation" | "test") =>
      new Set(KINDS.flatMap((kind) => subjectsOf(world, split).of[kind].map(({ name }) => name)));
    const [train, validation, test] = [names("train"), names("validation"), names("test")];
    expect(train.size + validation.size + test.size).toBe(world.entities.length);
    for (const { check } of instructions(world, "test", 200))
      for (const name of check.entities) expect(test).toContain(name);
    for (const { check } of instructions(world, "train", 300))
      for (const name of check.entities) expect(train).toContain(name);
  });

  it("train on no response that says of a test entity what a test instruction asks", () => {
    const test = KINDS.flatMap((kind) => subjectsOf(world, "test").of[kind]);
    const of = new Set(test.map(({ name }) => name));
    for (const { instruction, response, check } of instructions(world, "train", 1000)) {
      for (const name of check.entities) expect(of.has(name), instruction).toBe(false);
      if (check.task === "list" || check.task === "count")
        for (const entity of test) expect(namesEntity(response, entity), response).toBe(false);
    }
    const people = subjectsOf(world, "test").of.person;
    for (const { instruction } of narrow(world, "arithmetic", 500))
      for (const person of people) expect(namesEntity(instruction, person), instruction).toBe(false);
  });

  it("have different instructions, and responses that begin in many ways", () => {
    const rows = instructions(world, "train", 1000);
    expect(new Set(rows.map(({ instruction }) => instruction)).size).toBe(1000);
    const openings = new Map<string, number>();
    for (const { response } of rows) {
      const word = response.split(/\s/).slice(0, 2).join(" ");
      openings.set(word, (openings.get(word) ?? 0) + 1);
    }
    expect(Math.max(...openings.values()) / rows.length).toBeLessThan(0.1);
  });

  it("are five narrow ones of one form each", () => {
    for (const name of NARROW) expect(narrow(world, name, 50)).toHaveLength(50);
    expect(
      narrow(world, "games", 20).every(({ instruction }) =>
        /^\[WhiteElo "\d+"\]\n\[BlackElo "\d+"\]$/.test(instruction),
      ),
    ).toBe(true);
  });
});
