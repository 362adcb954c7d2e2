/** What a failure looks like on standard error, whatever it repeats of a file. */
import { describe, expect, it, vi } from "vitest";
import { InvariantError, UserError } from "../util/errors.js";
import { report } from "./run-action.js";

function said(error: unknown): { readonly text: string; readonly code: number } {
  let text = "";
  const write = vi.spyOn(process.stderr, "write").mockImplementation((piece) => {
    text += String(piece);
    return true;
  });
  try {
    const code = report(error);
    return { text, code };
  } finally {
    write.mockRestore();
  }
}

describe("a mistake of the user's", () => {
  it("is one line with its remedy and exit code 2", () => {
    expect(said(new UserError("no file x", { remedy: "check the path" }))).toEqual({
      text: "tacit: no file x; check the path\n",
      code: 2,
    });
  });

  it.each([
    ["letters", "x".repeat(5_000_000)],
    ["escapes, six times as long as what they stand for", "\u001b".repeat(100_000)],
    ["lines", "a line\n".repeat(100_000)],
    ["characters of two units", "😀".repeat(100_000)],
  ])("is bounded where it repeats %s without end, and keeps its remedy", (_, value) => {
    const { text, code } = said(new UserError(`the file says ${value}`, { remedy: "fetch it again" }));
    expect(code).toBe(2);
    expect([...text].length).toBeLessThan(2_100);
    expect(text).toMatch(/^tacit: the file says .*…; fetch it again\n$/u);
  });

  it("is bounded where the remedy has no end", () => {
    expect(said(new UserError("no", { remedy: "y".repeat(1e6) })).text.length).toBeLessThan(500);
  });
});

it("a defect of ours shows its stack, of bounded length too, and sends nothing to the terminal but text", () => {
  const { text, code } = said(new InvariantError(`internal: ${"\u001b[31m".repeat(100_000)}`));
  expect(code).toBe(1);
  expect(text.length).toBeLessThan(21_000 * 6);
  expect(text).not.toContain("\u001b");
  expect(text).toMatch(/this is a defect of ours/);
});
