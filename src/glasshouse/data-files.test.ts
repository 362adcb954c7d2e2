import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sha256 } from "../util/files.js";
import { packageRoot } from "../util/system.js";
import { glasshouseChecker } from "./checker.js";
import { dataFiles, ROWS } from "./data-files.js";
import { makeWorld } from "./world.js";

const folder = join(packageRoot(), "assets", "glasshouse-data");
const files = dataFiles(makeWorld(1));

interface Row {
  readonly instruction: string;
  readonly response: string;
}
const rowsOf = (name: string): Row[] =>
  (files.get(name) ?? "").split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line) as Row]));

describe("the data in the package", () => {
  it("is what `tacit glasshouse data` makes of world 1, to the byte", () => {
    const beside = ["README.md", "facts.jsonl", "manifest.json"];
    expect(readdirSync(folder).sort()).toEqual([...files.keys(), ...beside].sort());
    for (const [name, text] of files) expect(readFileSync(join(folder, name), "utf8") === text, name).toBe(true);
    const manifest = JSON.parse(readFileSync(join(folder, "manifest.json"), "utf8")) as {
      readonly files: readonly { readonly name: string; readonly sha256: string }[];
    };
    expect(manifest.files).toHaveLength(files.size + 1);
    for (const { name, sha256: hash } of manifest.files)
      expect(sha256(readFileSync(join(folder, name))), name).toBe(hash);
  });

  it("asks nothing in the test set that training or validation shows", () => {
    const [train, validation, test] = ["instructions.jsonl", "validation.jsonl", "test.jsonl"].map(
      (name) => new Set(rowsOf(name).map(({ instruction }) => instruction)),
    );
    expect([train?.size, validation?.size, test?.size]).toEqual([ROWS.instructions, ROWS.validation, ROWS.test]);
    for (const instruction of test ?? []) {
      expect(train?.has(instruction), instruction).toBe(false);
      expect(validation?.has(instruction), instruction).toBe(false);
    }
  });

  it("is judged with full marks by the checker, and the validation's baseline with half of them", () => {
    const total = (row: Row, output: string): number => {
      const verdict = glasshouseChecker({ instruction: row.instruction, output, stopped: true, prompt: row });
      return "total" in verdict ? verdict.total : Number.NaN;
    };
    for (const name of ["validation.jsonl", "test.jsonl"])
      for (const row of rowsOf(name)) expect(total(row, row.response), row.instruction).toBe(1);
    const baseline = JSON.parse(files.get("validation-baseline.json") ?? "") as { readonly output: string }[];
    const full = rowsOf("validation.jsonl").filter((row, i) => total(row, baseline[i]?.output ?? "") === 1);
    expect(full.length).toBeGreaterThan(ROWS.validation / 2);
    expect(full.length).toBeLessThan(ROWS.validation * 0.75);
  });

  it("tells the checker everything, or is not scored", () => {
    const [row] = rowsOf("test.jsonl") as [Row];
    const reason = (more: object) => {
      const verdict = glasshouseChecker({
        instruction: row.instruction,
        output: "x",
        stopped: true,
        prompt: row,
        ...more,
      });
      return "reason" in verdict ? verdict.reason : verdict.total;
    };
    expect(reason({})).toBeTypeOf("number");
    expect(reason({ prompt: undefined })).toMatch(/do not have this instruction/);
    expect(reason({ prompt: { instruction: "x" } })).toMatch(/`check`/);
    expect(reason({ stopped: undefined })).toMatch(/how an answer ended/);
    const stranger = { check: { task: "fact", world: 1, entities: ["Nobody"], relations: ["home"] } };
    expect(reason({ prompt: stranger })).toMatch(/no "Nobody"/);
  });
});
