/** What the operating system says of a path becomes one line with its remedy; anything else stays a defect. */
import { mkdir, readFile, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { reasonOf, UserError, userErrorOf } from "./errors.js";
import { writeFileAtomic } from "./files.js";

const folder = temporaryFolder();
const lineOf = async (work: Promise<unknown>): Promise<string | undefined> =>
  userErrorOf(await work.catch((error: unknown) => error))?.line;

describe("a path that the system refuses", () => {
  it("is not there", async () => {
    const path = folder.path("absent");
    expect(await lineOf(readFile(path))).toBe(`${path}: no such file or folder; check the path`);
  });
  it("is a folder, or lies below a file", async () => {
    const file = folder.write("file.txt", "");
    await mkdir(folder.path("full/inside"), { recursive: true });
    await mkdir(folder.path("other/inside"), { recursive: true });
    expect(await lineOf(readFile(folder.path("full")))).toBe("is a folder, not a file; name a file");
    expect(await lineOf(writeFileAtomic(join(file, "a.json"), ""))).toMatch(
      /file\.txt.*; (name another path|check the path)$/,
    );
    expect(await lineOf(writeFile(folder.path("full"), ""))).toMatch(/full: is a folder, not a file/);
    expect(await lineOf(rename(folder.path("full"), folder.path("other")))).toMatch(/is a folder with files in it/);
  });
  it("is a link that leads to itself", async () => {
    await symlink(folder.path("circle"), folder.path("circle"));
    expect(await lineOf(readFile(folder.path("circle")))).toMatch(
      /circle: its links lead in a circle; check the path$/,
    );
  });
});

it("memory that the system would not give is the user's to fix", () => {
  const refused = new RangeError("Array buffer allocation failed");
  expect(userErrorOf(refused)?.line).toMatch(/^out of memory; /);
  expect(userErrorOf(new RangeError("Invalid array length"))).toBeUndefined();
});

it("an error of ours is nobody's mistake, and a UserError stays what it is", () => {
  const mistake = new UserError("wrong", { remedy: "fix it" });
  expect(userErrorOf(mistake)).toBe(mistake);
  expect([userErrorOf(new TypeError("x is undefined")), userErrorOf("text")]).toEqual([undefined, undefined]);
  expect([reasonOf(new Error("because")), reasonOf(7)]).toEqual(["because", "7"]);
});
