import fc from "fast-check";
import { expect, it } from "vitest";
import { uniqueNames } from "./names.js";

it("keeps names that differ, and tells equal ones apart by their place", () => {
  expect(uniqueNames(["a", "b"])).toEqual(["a", "b"]);
  expect(uniqueNames(["q", "q", "b", "q"])).toEqual(["q", "q (number 2)", "b", "q (number 4)"]);
});

it("gives as many names as there are, also where an id already looks like a name of ours", () => {
  expect(new Set(uniqueNames(["q (number 3)", "q", "q"])).size).toBe(3);
  const id = fc.constantFrom("q", "q (number 2)", "q (number 3)", "q (number 3) (number 3)", "");
  fc.assert(
    fc.property(fc.array(id, { maxLength: 8 }), (ids) => {
      const names = uniqueNames(ids);
      expect(new Set(names).size).toBe(ids.length);
      ids.forEach((own, i) => void expect(names[i]?.startsWith(own)).toBe(true));
    }),
  );
});
