import { expect, it } from "vitest";
import { checkedCall, checkOptions } from "./check-options.js";
import { UserError } from "./errors.js";
import {
  call,
  decimal,
  either,
  flag,
  having,
  listOf,
  namedBy,
  needed,
  oneOf,
  shaped,
  text,
  whole,
} from "./option-kinds.js";

interface Options {
  readonly model: string;
  readonly limit?: number | "all";
  readonly rate?: number;
  readonly names?: readonly string[];
  readonly raw?: boolean;
}
const kinds = {
  model: needed(text),
  limit: either(whole({ min: 1 }), oneOf("all")),
  rate: decimal({ above: 0, max: 1 }),
  names: listOf(text),
  raw: flag,
};
const lineOf = (options: unknown): string => {
  try {
    checkOptions<Options>("call", kinds, options);
  } catch (error) {
    return (error as UserError).line;
  }
  return "";
};

it.each<[unknown, string]>([
  [{ model: "m" }, ""],
  [{ model: "m", limit: undefined, raw: false }, ""],
  [{ model: "m", limit: "all", rate: 1, names: [] }, ""],
  [{}, "model is missing; give a text that is not empty"],
  [{ model: "m", limit: 0 }, "limit is 0; give a whole number of 1 or more, or all"],
  [{ model: "m", limit: 2 ** 60 }, `limit is ${2 ** 60}; give a whole number of 1 or more, or all`],
  [{ model: "m", rate: 0 }, "rate is 0; give a number above 0, and of at most 1"],
  [{ model: "m", rate: Number.NaN }, "rate is NaN; give a number above 0, and of at most 1"],
  [{ model: "m", names: ["a", ""] }, "names is a list; give a list, each a text that is not empty"],
  [{ model: "m", raw: 1 }, "raw is 1; give true or false"],
  [{ model: "m", Rates: 1 }, 'call has no option "Rates"; did you mean "rate"?'],
  [{ model: "m", "\u001b[31m": 1 }, 'call has no option "\\u001b[31m"; it has model, limit, rate, names, raw'],
  [JSON.parse('{"model":"m","__proto__":1}'), 'call has no option "__proto__"; it has model, limit, rate, names, raw'],
  [null, "call: options are null; give an object"],
])("%j: %s", (options, line) => expect(lineOf(options)).toBe(line));

it("bounds what it repeats, and holds objects to their shape", () => {
  const long = "x".repeat(5000);
  expect(lineOf({ model: "m", raw: long }).length).toBeLessThan(120);
  expect(lineOf({ model: "m", limit: 10n ** 5000n }).length).toBeLessThan(140);
  expect(lineOf({ model: "m", [long]: 1 }).length).toBeLessThan(160);
  const kind = shaped({ name: needed(text), count: whole() });
  const values = [
    { name: "a" },
    { name: "a", count: 1 },
    { user: 1 },
    { name: "a", cuont: 1 },
    { name: "a", count: "1" },
  ];
  expect([...values, null, [], "a"].map(kind.holds)).toEqual([true, true, ...Array<boolean>(6).fill(false)]);
  class Named {
    readonly more = 1;
    name(): void {}
  }
  expect([new Named(), { more: 1 }].map(having({ name: needed(call) }, "").holds)).toEqual([true, false]);
  expect([{}, { a: () => 1 }, { a: 1 }].map(namedBy(call, "").holds)).toEqual([true, true, false]);
});

it("hands what was given on, and makes what the system says the user's error", async () => {
  const given: Options = { model: "m" };
  const same = checkedCall<Options, object, unknown>("call", kinds, {}, async (options) => options);
  expect(await same(given)).toBe(given);
  const absent = Object.assign(new Error("ENOENT"), { code: "ENOENT", syscall: "open", path: "x" });
  const failing = checkedCall<Options, object, unknown>("call", kinds, {}, () => Promise.reject(absent));
  await expect(failing(given)).rejects.toThrow(UserError);
  const bug = checkedCall<Options, object, unknown>("call", kinds, {}, () => Promise.reject(new TypeError("ours")));
  await expect(bug(given)).rejects.toThrow(TypeError);
});
