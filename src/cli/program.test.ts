/** commander's complaints are one line, and repeat no value at length. */
import { afterEach, expect, it, vi } from "vitest";
import { buildProgram } from "./program.js";

afterEach(() => vi.restoreAllMocks());

async function complaint(args: readonly string[]): Promise<string> {
  const said: string[] = [];
  vi.spyOn(process.stderr, "write").mockImplementation((text) => said.push(String(text)) > 0);
  const program = await buildProgram(args[0], args);
  await expect(program.parseAsync([...args], { from: "user" })).rejects.toThrow();
  return said.join("");
}

const long = "x'y z".repeat(1000);
const cut = `${long.slice(0, 59)}…`;
it.each<[string[], string, string]>([
  [
    ["winrate", "a.json", "--lc", long],
    `argument '${cut}' is invalid`,
    "Allowed choices are length, v1, noreg, minimal, none",
  ],
  [["winrate", "a.json", `--lc=${long}`], `argument '${cut}' is invalid`, "Allowed choices are length"],
  [["winrate", "a.json", "--seed", long], `argument '${cut}' is invalid`, "Give a whole number of 0 or more"],
  [["tune", "--objective", long], `argument '${cut}' is invalid`, "Allowed choices are"],
  [["winrate", `--${long}`], `unknown option '--${long.slice(0, 57)}…'`, ""],
  [[long], `unknown command '${cut}'`, ""],
])("case %#", async (args, what, remedy) => {
  const line = await complaint(args);
  expect(line).toContain(what);
  expect(line).toContain(remedy);
  expect(line.length).toBeLessThan(400);
  expect(line.trimEnd()).not.toContain("\n");
});
