/** Whatever a command can be told, a study can write: in its settings, or where the study itself says it. */
import { describe, expect, it } from "vitest";
import { elsewhere, settingsKeys, studySettings } from "../../options/study-settings.js";
import { tables } from "../../options/tables.js";
import type { Study } from "../../records/study-file.js";
import { studySchema } from "../../records/study-file.js";
import type { Form } from "../../util/option-kinds.js";
import { type Entries, keyName, optionsIn } from "../../util/options.js";
import { buildGraph } from "./graph.js";
import { wantedInputs } from "./inputs.js";
import { parseStudy } from "./read.js";
import type { Inputs } from "./sources.js";

const commands = Object.entries(studySettings) as [keyof typeof studySettings, Entries][];

/** A value that the form takes, as a file has it. */
function example(form: Form | undefined): unknown {
  switch (form?.form) {
    case "whole":
      return Math.max(3, form.range.min ?? 3);
    case "decimal":
      return 0.5;
    case "flag":
      return true;
    case "choice":
      return form.lower ? form.names.at(-1)!.toLowerCase() : form.names.at(-1);
    case "list":
      return [example(form.of)];
    case "either":
      return example(form.forms[0]);
    default:
      return "x";
  }
}
const written = (table: Entries): Record<string, unknown> =>
  Object.fromEntries(Object.entries(table).map(([name, entry]) => [keyName(name, entry), example(entry.type.form)]));

const loss = { measure: "loss", data: "rows", ...written(studySettings.score) };
const winRate = { measure: "win_rate", prompts: "p", baseline: "p", generation: written(studySettings.generate) };
const whole = (changes: object = {}): unknown => ({
  version: 1,
  name: "all",
  about: "every setting",
  models: { m: { path: "m", tune: written(studySettings.tune) } },
  data: { rows: "rows.jsonl", p: "p.json" },
  arms: {
    narrow: { kind: "single-task", data: "rows", tune: written(studySettings.tune) },
    untuned: { kind: "untuned", generation: written(studySettings.generate) },
  },
  epochs: [1, 2],
  tune: written(studySettings.tune),
  generation: { prompts: "p", ...written(studySettings.generate) },
  selection: loss,
  judge: "judge.yaml",
  judging: written(studySettings.judge),
  winrate: written(studySettings.winrate),
  comparisons: [{ arm: "narrow", against: "untuned" }],
  analyses: [
    { kind: "ranking", data: "rows", ...written(studySettings.rank) },
    { kind: "similarity", encoder: "e", ...written(studySettings.similarity) },
  ],
  ...changes,
});

describe.each(commands)("the options of %s", (command, settings) => {
  it("are settings, or are said elsewhere in the study, and not both", () => {
    const said = Object.keys(elsewhere[command]).filter((name) => name in tables[command]);
    expect([...Object.keys(settings), ...said].sort()).toEqual(Object.keys(tables[command]).sort());
  });
  it("stand under a key that studies have", () => {
    const keys = Object.keys(studySchema.shape);
    const named = Object.values<string>(elsewhere[command]).filter((key) => key !== "" && !key.startsWith("--"));
    expect([...new Set([settingsKeys[command], ...named])].filter((key) => !keys.includes(key))).toEqual([]);
  });
});

/** Inputs that need no file. */
const inputsOf = (study: Study): Inputs => {
  const all = wantedInputs(study, { studyFolder: "/s", dataFolder: "/d" }).map((one) => ({
    ...one,
    hash: `hash of ${one.role} ${one.name}`,
  }));
  return { all, get: (role, name) => all.find((one) => one.role === role && one.name === name)! };
};
const stepsOf = (study: Study) =>
  buildGraph({
    study,
    inputs: inputsOf(study),
    settings: { tacit: "1", engine: "e", threads: 1 },
    choices: new Map([["m/narrow", 1]]),
  }).steps;

describe("a study that writes all of them", () => {
  it.each([
    ["loss", loss],
    ["win rate", winRate],
  ])("is read, and its steps get them (%s)", (_, selection) => {
    const { study } = parseStudy(JSON.stringify(whole({ selection })), "study.yaml");
    const steps = stepsOf(study);
    const works = (kind: string) =>
      steps.flatMap(({ plan }) => (plan?.work.kind === kind ? [plan.work as { readonly settings: object }] : []));
    for (const kind of ["rank", "similarity", "judge", ...("data" in selection ? ["score"] : [])] as const) {
      expect(works(kind)[0]?.settings, kind).toEqual(
        optionsIn(studySettings[kind as "rank"], written(studySettings[kind as "rank"])),
      );
    }
    for (const kind of ["tune", "generate"] as const)
      expect(works(kind)[0]?.settings, kind).toEqual(written(studySettings[kind]));
    expect(works("compare")[0]?.settings).toEqual(optionsIn(studySettings.winrate, written(studySettings.winrate)));
  });
  it("is refused at the place of a value that is none", () => {
    const refused = (changes: object): string => {
      try {
        parseStudy(JSON.stringify(whole(changes)), "study.yaml");
        return "taken";
      } catch (error) {
        return (error as Error).message;
      }
    };
    expect(refused({ tune: { recompute: "yes" } })).toContain('tune.recompute: "yes"; give true or false');
    expect(refused({ tune: { dtype: "f64" } })).toContain('tune.dtype: "f64"; give f32 or ');
    expect(refused({ generation: { prompts: "p", precision: "q4" } })).toContain("generation.precision: ");
    expect(refused({ judging: { retries: 101 } })).toContain("judging.retries: 101; give a whole number from 0 to ");
    expect(refused({ winrate: { resamples: 1 } })).toContain("winrate.resamples: ");
    expect(refused({ tune: { threads: 2 } })).toContain('"threads"');
    expect(refused({ tune: { batch: 0 } })).toContain("tune.batch: 0; give a whole number of 1 or more");
    expect(refused({ tune: { batch: 1.5 } })).toContain("tune.batch: 1.5; give a whole number of 1 or more");
    expect(refused({ tune: { limit: "few" } })).toContain(
      'tune.limit: "few"; give a whole number of 1 or more, or all',
    );
  });
  it.each([
    [{ tune: { learning_rate: 1 } }, 'tune: Unrecognized key: "learning_rate"; did you mean "lr"?'],
    [{ tune: { learningRate: 1 } }, 'tune: Unrecognized key: "learningRate"; did you mean "lr"?'],
    [{ tune: { microTokens: 1 } }, 'tune: Unrecognized key: "microTokens"; did you mean "micro_tokens"?'],
    [{ generation: { prompts: "p", temprature: 1 } }, 'Unrecognized key: "temprature"; did you mean "temperature"?'],
    [{ generation: { prompts: "p", promts: "p" } }, 'Unrecognized key: "promts"; did you mean "prompts"?'],
    [{ seds: [1] }, 'Unrecognized key: "seds"; did you mean "seeds"?'],
    [{ tune: { xyzzy: 1 } }, 'tune: Unrecognized key: "xyzzy"'],
  ])("%j is refused with the key that was meant", (changes, message) => {
    expect(() => parseStudy(JSON.stringify(whole(changes)), "study.yaml")).toThrow(message);
  });
  it("says in its schema what each is, in words of its own", () => {
    for (const [command, settings] of commands)
      for (const { help } of Object.values(settings))
        expect([command, help]).toEqual([command, expect.not.stringMatching(/\{\w+\}/)]);
  });
});

describe("results", () => {
  const keys = (changes: object): Map<string, string | undefined> =>
    new Map(
      stepsOf(parseStudy(JSON.stringify(whole(changes)), "study.yaml").study).map(({ id, plan }) => [id, plan?.key]),
    );
  const changed = (one: object, other: object): string[] => {
    const [before, after] = [keys(one), keys(other)];
    return [...new Set([...before].flatMap(([id, key]) => (after.get(id) === key ? [] : [id.split("/")[0]!])))].sort();
  };

  it("are others where a setting decides them, and the same where it does not", () => {
    expect(changed({ judging: { order: "both" } }, { judging: { order: "alpaca_eval" } })).toEqual([
      "compare",
      "judge",
    ]);
    expect(changed({ judging: { retries: 1, prices: "p" } }, { judging: { timeout: 3 } })).toEqual([]);
    expect(changed({ judging: {} }, { judging: { prompt_file: "x" } })).toEqual(["compare", "judge"]);
    expect(changed({ winrate: { seed: 1 } }, { winrate: { seed: 2 } })).toEqual(["compare"]);
    const narrow = (tune: object) => ({
      arms: { narrow: { kind: "single-task", data: "rows", tune }, untuned: { kind: "untuned" } },
    });
    expect(changed({ tune: {}, ...narrow({ recompute: true }) }, { tune: {}, ...narrow({}) })).not.toContain("tune");
    expect(changed(narrow({ dtype: "bf16" }), narrow({ dtype: "f16" }))).toContain("tune");
  });
});
