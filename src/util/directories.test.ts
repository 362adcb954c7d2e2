import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { removeOwned, writeDirectory } from "./directories.js";
import { UserError } from "./errors.js";
import { makeDirectory } from "./files.js";

const folder = temporaryFolder();
const fillWith = (text: string) => (directory: string) => writeFile(join(directory, "config.json"), text);
const options = {
  force: false,
  marker: { name: "config.json", isOurs: (text: string) => /^(one|two|three|half)$/.test(text) },
  owns: (path: string) => /^(config\.json|parts\/(.*\.txt)?)$/.test(path),
};
const lineOf = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "no error",
    (error: unknown) => (error instanceof UserError ? error.line : `not a UserError: ${String(error)}`),
  );

describe("writeDirectory", () => {
  it("makes a directory and its parents", async () => {
    const out = folder.path("a/b/c");
    await writeDirectory(out, options, fillWith("one"));
    expect(readFileSync(join(out, "config.json"), "utf8")).toBe("one");
    expect(readdirSync(folder.path("a/b"))).toEqual(["c"]);
  });

  it("fills an empty directory without being forced", async () => {
    const out = folder.path("empty");
    mkdirSync(out);
    await writeDirectory(out, options, fillWith("one"));
    expect(readdirSync(out)).toEqual(["config.json"]);
  });

  it("replaces what is there only when forced, and only what holds the marker", async () => {
    const out = folder.path("there");
    await writeDirectory(out, options, fillWith("one"));
    expect(await lineOf(writeDirectory(out, options, fillWith("two")))).toBe(
      `${out} already exists; pass force to replace it, or name another out`,
    );
    expect(readFileSync(join(out, "config.json"), "utf8")).toBe("one");
    await writeDirectory(out, { ...options, force: true }, fillWith("two"));
    expect(readFileSync(join(out, "config.json"), "utf8")).toBe("two");

    const home = folder.path("home");
    mkdirSync(home);
    writeFileSync(join(home, "thesis.txt"), "years of work");
    expect(await lineOf(writeDirectory(home, { ...options, force: true }, fillWith("two")))).toMatch(/no config\.json/);
    expect(readdirSync(home)).toEqual(["thesis.txt"]);
  });

  it("leaves what was there, and nothing else, when filling fails", async () => {
    const out = folder.path("kept/model");
    await writeDirectory(out, options, fillWith("one"));
    const failing = writeDirectory(out, { ...options, force: true }, async (directory) => {
      await fillWith("half")(directory);
      throw new Error("disk full");
    });
    await expect(failing).rejects.toThrow("disk full");
    expect(readdirSync(folder.path("kept"))).toEqual(["model"]);
    expect(readFileSync(join(out, "config.json"), "utf8")).toBe("one");
  });

  it("gives back what was there where a replacement was killed between its renames", async () => {
    const out = folder.path("killed/model");
    await writeDirectory(out, options, fillWith("one"));
    renameSync(out, folder.path("killed/.model.replaced"));
    expect(await lineOf(writeDirectory(out, options, fillWith("two")))).toMatch(/already exists; pass force/);
    expect(readFileSync(join(out, "config.json"), "utf8")).toBe("one");
    cpSync(out, folder.path("killed/.model.replaced"), { recursive: true }); // killed behind them
    await writeDirectory(out, { ...options, force: true }, fillWith("two"));
    expect(readFileSync(join(out, "config.json"), "utf8")).toBe("two");
    expect(readdirSync(folder.path("killed"))).toEqual(["model"]);
  });

  it("is made by one process at a time", async () => {
    const out = folder.path("twice/model");
    let second = "";
    await writeDirectory(out, options, async (directory) => {
      second = await lineOf(writeDirectory(out, options, fillWith("two")));
      await fillWith("one")(directory);
    });
    expect(second).toMatch(/model is in use by process \d+; wait for it to end/);
    expect(readFileSync(join(out, "config.json"), "utf8")).toBe("one");
    expect(readdirSync(folder.path("twice"))).toEqual(["model"]);
  });

  it("is made again, unforced, where its maker was killed before it could say that it is done", async () => {
    const out = folder.path("cut off/model");
    await writeDirectory(out, options, fillWith("one"));
    writeFileSync(join(out, ".unfinished"), "");
    mkdirSync(folder.path("cut off/.model.partial")); // half of a directory
    await writeDirectory(out, options, fillWith("one"));
    expect(readdirSync(out)).toEqual(["config.json"]);
    expect(readdirSync(folder.path("cut off"))).toEqual(["model"]);
  });

  it("does not write into a file", async () => {
    const out = folder.write("file.txt", "text");
    expect(await lineOf(writeDirectory(out, options, fillWith("one")))).toMatch(/is a file/);
  });
});

describe("makeDirectory", () => {
  it("makes what is missing, keeps what is there, and ends where nothing can be made", async () => {
    await makeDirectory(folder.path("made/b/c"));
    await makeDirectory(folder.path("made/b/c"));
    expect(statSync(folder.path("made/b/c")).isDirectory()).toBe(true);
    const file = folder.write("file", "");
    await expect(makeDirectory(file)).rejects.toThrow("is a file where a folder is needed");
    await expect(makeDirectory(join(file, "below"))).rejects.toThrow(/ENOTDIR/);
    if (existsSync("/proc/self")) await expect(makeDirectory("/proc/no/such")).rejects.toThrow(/ENOENT/); // forever with `recursive`
  });
});

describe("what is somebody's own", () => {
  const forced = { ...options, force: true };
  async function made(name: string): Promise<string> {
    const out = folder.path(name);
    await writeDirectory(out, options, async (directory) => {
      await fillWith("one")(directory);
      mkdirSync(join(directory, "parts"));
      writeFileSync(join(directory, "parts", "a.txt"), "");
    });
    return out;
  }

  it.each([
    ["beside", "notes.txt", () => writeFileSync(folder.path("beside/notes.txt"), "mine")],
    ["below", "parts/notes.md", () => writeFileSync(folder.path("below/parts/notes.md"), "mine")],
    ["folder", "mine/", () => mkdirSync(folder.path("folder/mine"))],
    [
      "deep",
      "parts/x/y/notes.md",
      () => {
        mkdirSync(folder.path("deep/parts/x/y"), { recursive: true });
        writeFileSync(folder.path("deep/parts/x/y/notes.md"), "mine");
      },
    ],
    ["linked", "link", () => symlinkSync(folder.path("."), folder.path("linked/link"))],
    ["hidden", ".git", () => writeFileSync(folder.path("hidden/.git"), "gitdir: elsewhere")],
  ])("%s: is refused by its name, and stays", async (name, stranger, add) => {
    const out = await made(name);
    await writeDirectory(out, forced, fillWith("two")); // as long as it is not there
    await made(`${name}-again`);
    rmSync(out, { recursive: true });
    renameSync(folder.path(`${name}-again`), out);
    add();
    for (const cutOff of [false, true]) {
      if (cutOff) writeFileSync(join(out, ".unfinished"), "");
      const line = await lineOf(writeDirectory(out, forced, fillWith("two")));
      expect(line).toContain(`${out} holds ${stranger}, which is not Tacit's`);
      expect(readFileSync(join(out, "config.json"), "utf8")).toBe("one");
    }
  });

  it("is told from what a killed process left, which goes", async () => {
    const out = await made("traces");
    writeFileSync(join(out, "parts", ".a.txt.0123.partial"), "half");
    writeFileSync(join(out, ".lock"), "{}");
    await writeDirectory(out, forced, fillWith("two"));
    expect(readdirSync(out)).toEqual(["config.json"]);
  });

  it("is a folder whose marker somebody else wrote", async () => {
    const out = folder.path("theirs");
    mkdirSync(out);
    writeFileSync(join(out, "config.json"), '{"port": 80}');
    expect(await lineOf(writeDirectory(out, forced, fillWith("two")))).toMatch(
      /theirs holds no config\.json that was written here, so force does not replace it; remove it yourself/,
    );
  });

  it("stays where the rest is removed", async () => {
    const out = await made("partly");
    mkdirSync(join(out, "empty-of-mine"));
    writeFileSync(join(out, "parts", "notes.md"), "mine");
    await removeOwned(out, options.owns);
    expect(readdirSync(out, { recursive: true })).toEqual(["parts", "parts/notes.md"]);
    rmSync(join(out, "parts", "notes.md"));
    await removeOwned(out, options.owns);
    expect(existsSync(out)).toBe(false);
    await removeOwned(out, options.owns);
  });

  it("would be whatever a maker writes without owning it", async () => {
    const out = folder.path("unowned");
    const writing = writeDirectory(out, options, (directory) => writeFile(join(directory, "other.bin"), ""));
    await expect(writing).rejects.toThrow(/other\.bin is written, but would not be replaced/);
    expect(existsSync(out)).toBe(false);
  });
});
