import { expect, it } from "vitest";
import { temporaryFolder } from "../../test/temporary-folder.js";
import { namedFile } from "./named-file.js";

const folder = temporaryFolder();

it("NAME=FILE names a file, and what exists as it stands is one, whatever it is called", () => {
  expect(namedFile("a.json")).toEqual({ file: "a.json" });
  expect(namedFile("=a.json")).toEqual({ file: "=a.json" });
  expect(namedFile("ours=runs/k=1.json")).toEqual({ name: "ours", file: "runs/k=1.json" });
  const there = folder.write("lr=1.json", "[]");
  expect(namedFile(there)).toEqual({ file: there });
});
