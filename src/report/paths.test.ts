/** Nothing of the folders of who made a report stands in it; relative paths and addresses stay. */
import { expect, it } from "vitest";
import { type KnownPath, shownPath, withoutFolders } from "./paths.js";

it.each([
  ["/home/anna/my models/gemma", "gemma"],
  ["C:\\Users\\anna\\gemma", "gemma"],
  ["lima:/data/sets/lima.jsonl", "lima:lima.jsonl"],
  ["base=/home/anna/gemma", "base=gemma"],
  ["prompts=alpaca:/home/anna/p.json", "prompts=alpaca:p.json"],
  ["~/secret/d.jsonl", "d.jsonl"],
  ["file:///home/bob/x", "x"],
  ["“/home/bob/x.json”", "“x.json”"],
  ["see '/home/bob/x.json' there", "see 'x.json' there"],
  ["\\\\srv\\share\\bob\\x.json", "x.json"],
  ["data/lima.jsonl", "data/lima.jsonl"],
  ["../assets/tiny", "../assets/tiny"],
  ["glasshouse", "glasshouse"],
  ["http://127.0.0.1:8000/v1/embeddings", "http://127.0.0.1:8000/v1/embeddings"],
])("the path %s is shown as %s", (path, shown) => expect(shownPath(path)).toBe(shown));

it.each([
  ["/home/anna/runs/x/steps/a/outputs.json: no space left", "outputs.json: no space left"],
  ["cannot read '/srv/data/a.json' (see /srv/log/b.txt)", "cannot read 'a.json' (see b.txt)"],
  ["/home/john smith/secret project/d.jsonl is missing", "d.jsonl is missing"],
  ["cannot read “/home/bob/x.json”, file:///home/bob/y", "cannot read “x.json”, y"],
  ["\\\\srv\\share\\bob\\x.json is missing", "x.json is missing"],
  ["C:\\Users\\Bob Lee\\x is missing", "x is missing"],
  ["see ~/runs/secret/a.json and ~bob/b/c.json", "see a.json and c.json"],
  ["/home/pat o'neill/a.json and steps/b/c.json", "a.json and steps/b/c.json"],
  ["no reply from http://10.0.0.1:8000/v1/chat", "no reply from http://10.0.0.1:8000/v1/chat"],
  ["3/4 of 1/2 and/or <|user|>", "3/4 of 1/2 and/or <|user|>"],
])("the sentence %s is shown as %s", (text, shown) => expect(withoutFolders(text)).toBe(shown));

it("takes paths that the records know off whole, whatever they are made of", () => {
  const known: KnownPath[] = [
    { path: "/home/anna, b (x) lee & co/m: 7/gemma", kind: "file" },
    { path: "/home/anna, b (x) lee & co/runs", kind: "root" },
    { path: "/home/anna, b (x) lee & co/m: 7", kind: "folder" },
    { path: "/home/anna, b (x) lee & co", kind: "home" },
  ];
  expect(
    withoutFolders(
      "/home/anna, b (x) lee & co/runs/steps/a.json has changed: /home/anna, b (x) lee & co/m: 7/gemma (in /home/anna, b (x) lee & co)",
      known,
    ),
  ).toBe("steps/a.json has changed: gemma (in ~)");
  expect(withoutFolders("no /home/anna, b (x) lee & co/m: 7/other/a.json", known)).toBe("no a.json");
  expect(withoutFolders("/home/anna/runs2/a.json", [{ path: "/home/anna/runs", kind: "root" }])).toBe("a.json");
});
