/** Nothing of the folders of who made a report stands in it; relative paths and addresses stay. */
import { expect, it } from "vitest";
import { shownPath, withoutFolders } from "./paths.js";

it.each([
  ["/home/anna/my models/gemma", "gemma"],
  ["C:\\Users\\anna\\gemma", "gemma"],
  ["lima:/data/sets/lima.jsonl", "lima:lima.jsonl"],
  ["base=/home/anna/gemma", "base=gemma"],
  ["prompts=alpaca:/home/anna/p.json", "prompts=alpaca:p.json"],
  ["data/lima.jsonl", "data/lima.jsonl"],
  ["../assets/tiny", "../assets/tiny"],
  ["glasshouse", "glasshouse"],
  ["http://127.0.0.1:8000/v1/embeddings", "http://127.0.0.1:8000/v1/embeddings"],
])("the path %s is shown as %s", (path, shown) => expect(shownPath(path)).toBe(shown));

it.each([
  ["/home/anna/runs/x/steps/a/outputs.json: no space left", "outputs.json: no space left"],
  ["cannot read '/srv/data/a.json' (see /srv/log/b.txt)", "cannot read 'a.json' (see b.txt)"],
  ["no reply from http://10.0.0.1:8000/v1/chat", "no reply from http://10.0.0.1:8000/v1/chat"],
  ["3/4 of 1/2 and/or <|user|>", "3/4 of 1/2 and/or <|user|>"],
])("the sentence %s is shown as %s", (text, shown) => expect(withoutFolders(text)).toBe(shown));

it("takes known folders off whole, with spaces in them, too", () => {
  expect(withoutFolders("/home/anna lee/runs/steps/a.json has changed", ["/home/anna lee/runs"])).toBe(
    "steps/a.json has changed",
  );
});
