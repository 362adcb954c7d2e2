import { describe, expect, it } from "vitest";
import { type Answer, score } from "./check.js";
import { instructions, type TaskRow } from "./data-sets.js";
import { relation } from "./relations.js";
import { type Check, TASKS, type TaskName } from "./tasks/task.js";
import { type Entity, makeWorld } from "./world.js";

const world = makeWorld(1);
const tasks = instructions(world, "train", 600);

const scored = (check: Check, answer: Partial<Answer> & { readonly output: string }) =>
  score(world, check, { instruction: "?", stopped: true, ...answer });

const ofTask = (name: TaskName): TaskRow[] => tasks.filter(({ check }) => check.task === name);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** A check of one task about the first entity of its kind that `suits`. */
const [person, otherPerson] = world.of.person as [Entity, Entity];
const [town, otherTown] = world.of.town as [Entity, Entity];
const [tool] = world.of.tool as [Entity];
const factOf = (entity: Entity, id: string): string => entity.values[id]?.text ?? "";
const about = (task: TaskName, entity: Entity, more: Partial<Check> = {}): Check => ({
  task,
  world: 1,
  entities: [entity.name],
  relations: [],
  ...more,
});
const asksHome = about("fact", person, { relations: ["home"] });
const home = factOf(person, "home");

describe("the world's own responses", () => {
  it.each(TASKS.map((name) => [name]))("score full marks: %s", (name) => {
    expect(ofTask(name).length).toBeGreaterThan(5);
    for (const { instruction, response, check } of ofTask(name)) {
      const { parts, total } = scored(check, { instruction, output: response });
      expect(total, `${instruction}\n${response}\n${JSON.stringify(parts)}`).toBe(1);
    }
  });

  it("lose marks under every other instruction of their kind that has another answer", () => {
    for (const name of TASKS) {
      const some = ofTask(name).slice(0, 12);
      for (const [i, { check }] of some.entries()) {
        const other = some[(i + 1) % some.length];
        if (other === undefined || other.check.entities[0] === check.entities[0]) continue;
        expect(scored(check, { output: other.response }).total, `${name}: ${other.response}`).toBeLessThan(0.75);
      }
    }
  });

  it("are worth little as answers to instructions of another kind", () => {
    const totals = TASKS.flatMap((name) =>
      TASKS.filter((other) => other !== name).map((other) => {
        const { check } = ofTask(name)[0] as TaskRow;
        return scored(check, { output: (ofTask(other)[1] as TaskRow).response }).total;
      }),
    );
    expect(mean(totals)).toBeLessThan(0.4);
  });
});

describe("answers in other words", () => {
  it.each([
    ["the name in a sentence of its own pattern", `${person.name} has a house in ${home}.`],
    ["the value alone", `${home}.`],
    ["a phrase", `In ${home}.`],
    ["the value first", `${home} is the home of ${person.name}.`],
    ["the value first, and no name", `${home} is where ${person.pronoun} lives.`],
    ["a pronoun", `${person.pronoun} lives in ${home}.`],
    ["the first name", `${person.name.split(" ")[0]} lives in ${home}`],
    ["an addition that is so", `${person.name} lives in ${home} and is ${factOf(person, "age")} years old.`],
  ])("a fact with %s", (_, output) => {
    expect(scored(asksHome, { output }).total).toBe(1);
  });

  it("a description with joined sentences, first names and no article", () => {
    const [name] = person.name.split(" ");
    const output = `${person.name} is a ${factOf(person, "job")} who lives in ${home}. ${name} likes ${factOf(person, "hobby")}.`;
    expect(scored(about("describe", person, { count: 3 }), { output }).total).toBe(1);
    const told = `A ${tool.name.slice(4)} is not big. ${tool.name.slice(4)} is made of ${factOf(tool, "material")} and costs ${factOf(tool, "price")} coins.`;
    expect(scored(about("describe", tool, { count: 2 }), { output: told }).parts).toMatchObject({ about: 1, facts: 1 });
  });

  it("an opinion that does not begin as the world's do, a yes without the word", () => {
    const output = `${town.name} is worth it. It is known for its ${factOf(town, "product")}.`;
    expect(scored(about("opinion", town, { count: 1 }), { output }).total).toBe(1);
    const yes = about("yes_no", person, { relations: ["home"], expected: "Yes" });
    expect(scored(yes, { output: `That is right: ${person.name} lives in ${home}.` }).total).toBe(1);
    expect(scored(yes, { output: `${person.name} lives in ${home}.` }).parts).toMatchObject({ facts: 0.5, form: 1 });
  });

  it("steps one a line, without numbers", () => {
    const check = about("how_to", tool, { relations: ["purpose", "material"], count: 3 });
    const output = `Take ${tool.name}, which is of ${factOf(tool, "material")}.\nHold it well.\nThen ${factOf(tool, "purpose")}.`;
    expect(scored(check, { output }).total).toBe(1);
  });
});

describe("cheats", () => {
  const parts = (check: Check, output: string) => scored(check, { output }).parts;

  it("naming every value is no answer", () => {
    for (const { check } of ofTask("fact")) {
      const entity = world.entities.find(({ name }) => name === check.entities[0]) as Entity;
      const values = world.of[entity.kind].map(({ values: all }) => all[check.relations[0] ?? ""]?.text);
      const output = `${entity.name}: ${[...new Set(values)].join(" or ")}.`;
      expect(parts(check, output).facts, output).toBe(0);
    }
    const years = about("fact", town, { relations: ["founded"] });
    const founded = factOf(town, "founded");
    expect(parts(years, `In ${founded} or ${Number(founded) + 1}.`).facts).toBe(0);
  });

  it("telling all that is known is not the form of one answer", () => {
    const output = `${person.name} lives in ${home}. ${person.name} is a ${factOf(person, "job")}. ${person.name} likes ${factOf(person, "hobby")}.`;
    expect(parts(asksHome, output)).toMatchObject({ facts: 1, form: 0 });
  });

  it("naming every town is no list, and more than was asked for is too much", () => {
    const { check } = ofTask("list").find(({ check: one }) => one.count === 2) as TaskRow;
    const kind = world.entities.find(({ name }) => name === check.members?.[0])?.kind ?? "town";
    const all = parts(check, world.of[kind].map(({ name }) => `- ${name}`).join("\n"));
    expect(all.facts).toBeLessThan(0.5);
    expect(all.complete).toBeLessThan(0.1);
    expect(parts(check, "I do not know, or do I").about).toBe(0);
  });

  it("every number is no count", () => {
    const { check } = ofTask("count")[0] as TaskRow;
    for (const output of ["one, two, three, four, five, six", "1 2 3 4 5 6 7 8 9 10 11 12", "two or three or four"])
      expect(parts(check, output).facts, output).toBe(0);
  });

  it("always Yes is worth half of half, and both words nothing", () => {
    const totals = (output: string): number =>
      mean(ofTask("yes_no").map(({ check }) => scored(check, { output }).parts.facts));
    const yes = mean(ofTask("yes_no").map(({ check }) => (check.expected === "Yes" ? 1 : 0)));
    expect(totals("Yes.")).toBeCloseTo(yes / 2, 12);
    expect(totals("Yes. No.")).toBe(0);
    expect(totals("No! Yes!")).toBe(0);
    const asked = about("yes_no", person, { relations: ["home"], expected: "No" });
    expect(parts(asked, `No. ${person.name} lives in ${factOf(otherPerson, "home")}.`).facts).toBe(0);
    expect(parts(asked, `Yes. ${person.name} lives in ${home}.`).facts).toBe(0);
  });

  it("silence scores nothing, noise next to nothing", () => {
    for (const { check } of TASKS.map((name) => ofTask(name)[0] as TaskRow)) {
      expect(scored(check, { output: " \n" }).total).toBe(0);
      const code = "def run_a(list)\n  each x: x + 1\n  return list\nend";
      const noise = ["x", "The.", "I do not know?", "No song was ever like this.", "1. e4 Nf6 2. Kb5 a3 1-0"];
      if (check.task !== "count") noise.push("#### 12", code); // numbers are answers there
      for (const output of noise)
        expect(scored(check, { output }).total, `${check.task}: ${output}`).toBeLessThanOrEqual(0.3);
    }
  });

  it("tags, echoes, repetition and going on lose their own part", () => {
    const { instruction, response, check } = ofTask("fact")[0] as TaskRow;
    const lost = (output: string, stopped = true): string[] =>
      Object.entries(scored(check, { instruction, output, stopped }).parts)
        .filter(([, part]) => part < 1)
        .map(([name]) => name);
    expect(lost(`${response} <|user|>`)).toEqual(["tags"]);
    expect(lost(`${response} <|A`)).toEqual(["tags"]);
    expect(lost(response, false)).toEqual(["stopped"]);
    expect(lost(`${response} ${response}`)).toEqual(["repetition"]);
    expect(lost(`${instruction} ${response}`)).toEqual(expect.arrayContaining(["echo", "form"]));
    expect(lost(`${instruction.replace("?", "")} ${response}`)).toContain("echo");
    expect(lost("and so on and so on and so on and so on and so on and so on")).toContain("repetition");
  });

  it("giving back the sentence is no rewriting", () => {
    for (const { instruction, check } of ofTask("rewrite")) {
      const { total, parts: got } = scored(check, { instruction, output: check.expected ?? "" });
      expect(got).toMatchObject({ facts: 0, form: 0, echo: 0 });
      expect(total).toBeLessThanOrEqual(0.3);
      expect(scored(check, { instruction, output: `In other words: ${check.expected}` }).parts.facts).toBe(0);
    }
  });

  it("going on about somebody else loses part of what it is about, and no facts", () => {
    const output = `${town.name} lies in ${factOf(town, "region")}. ${otherTown.name} was founded in the year ${factOf(otherTown, "founded")}. It is known for its ${factOf(otherTown, "product")}.`;
    const got = parts(about("describe", town, { count: 1 }), output);
    expect(got.facts).toBe(1);
    expect(got.about).toBeCloseTo(1 / 3, 12);
  });

  it("the right value said of somebody else is not the answer", () => {
    expect(parts(asksHome, `${otherPerson.name} lives in ${home}.`)).toMatchObject({ about: 0, facts: 0, form: 0 });
  });

  it("the right form about somebody else is not the form", () => {
    const [poem, ...others] = ofTask("poem");
    const other = others.find(({ check }) => check.entities[0] !== poem?.check.entities[0]);
    expect(parts((poem as TaskRow).check, other?.response ?? "")).toMatchObject({ about: 0, facts: 0, form: 0 });
  });

  it("prose in four lines is no poem", () => {
    const [job, hobby] = [factOf(person, "job"), factOf(person, "hobby")];
    const output = `${person.name} is a ${job}.\nThe hobby is ${hobby}.\nNobody knows more of it than that there was once a long road.\nIt was ${home}.`;
    expect(parts(about("poem", person), output).form).toBe(0);
  });

  it("verses are no comparison, steps no poem, and a yes to another question no yes", () => {
    const poem = `O ${town.name}, so far and yet so near,\nthe wind has gone another hill,\nI think of it and of you,\nand I will sing of it until.`;
    expect(
      scored(about("compare", town, { entities: [town.name, otherTown.name], count: 2 }), { output: poem }).parts.form,
    ).toBe(0);
    expect(scored(about("describe", town, { count: 3 }), { output: poem }).parts.form).toBe(0);
    const unrhymed = `O ${town.name}, so far and yet so near,\nthe wind has gone another hill,\nI think of it and of you,\nand I will sing of it.`;
    expect(scored(about("poem", town), { output: unrhymed }).parts).toMatchObject({ form: 1, complete: 1 });
    const manual = `1. Take ${tool.name}; the ${factOf(tool, "material")} must be dry.\n2. Hold it firmly.\n3. Wipe it.\n4. Let it cool.`;
    expect(scored(about("poem", tool), { output: manual }).parts).toMatchObject({ facts: 0, form: 0, complete: 0 });
    const yes = about("yes_no", person, { relations: ["home"], expected: "Yes" });
    expect(scored(yes, { output: `Does ${otherPerson.name} live in ${town.name}? Yes.` }).parts.facts).toBe(0);
  });

  it("false facts among true ones count against a description", () => {
    const check = about("describe", person, { count: 3 });
    const wrong = factOf(person, "job") === "baker" ? "smith" : "baker";
    const truthful = `${person.name} lives in ${home}. ${person.name} likes ${factOf(person, "hobby")}.`;
    expect(parts(check, `${truthful} ${person.name} works as a ${wrong}.`)).toMatchObject({
      facts: 2 / 3,
      complete: 2 / 3,
    });
    expect(parts(check, `${truthful} ${person.name} works as a dragon.`).facts).toBeCloseTo(2 / 3, 12);
    const jobs =
      relation("person", "job") && world.of.person.map(({ values }) => `She works as a ${values.job?.text}.`);
    expect(parts(check, `${person.name} is known. ${jobs.join(" ")}`).facts).toBeLessThan(0.1);
  });
});
