import { expect, it } from "vitest";
import { UserError } from "../util/errors.js";
import { asInScripts, option, spelled, words } from "../util/words.js";
import { asSetting } from "./study-settings.js";
import { asFlag } from "./tables.js";

const error = new UserError(words`row 3 has ${130} ids`, {
  remedy: words`raise ${option("maxLength")}, or pass ${option("microTokens", 64)}${words` ${option("recompute")}`} and ${option("learningRate", 0.1)}`,
});

it("names options, which each surface spells in its own way", () => {
  expect(error.message).toBe("row 3 has 130 ids");
  expect(error.remedy).toBe("raise maxLength, or pass microTokens: 64 recompute and learningRate: 0.1");
  expect(error.spelled(asFlag).remedy).toBe("raise --max-length, or pass --micro-tokens 64 --recompute and --lr 0.1");
  expect(error.spelled(asSetting).remedy).toBe(
    "raise max_length:, or pass micro_tokens: 64 recompute: true and lr: 0.1",
  );
  expect(error.option).toBe("maxLength");
  expect(new UserError(words`${option("bos", "always")} of ${option("model")}`).option).toBe("bos");
  expect(new UserError("nothing").option).toBeUndefined();
});

it("spells names of values, and what is on unless somebody says so", () => {
  const text = words`${option("dtype", "BF16")} ${option("eos", false)} ${option("models", "DIR")} ${option("disableRules")}`;
  expect(spelled(text, asFlag)).toBe("--dtype bf16 --no-eos --model DIR --disable-rule");
  expect(spelled(text, asSetting)).toBe("dtype: bf16 eos: false --model DIR arms:");
  expect(spelled(words`${option("model", "DIR")} ${option("epochs", 3)} ${option("threads", 2)}`, asSetting)).toBe(
    "--model DIR epochs: --threads 2",
  );
  const none = words`pass ${option("force")} to replace it`; // study run has no such flag
  expect(spelled(none, asSetting)).toBe("pass --force (of the single command) to replace it");
  expect(spelled(text, asInScripts)).toBe('dtype: "BF16" eos: false models: "DIR" disableRules');
});
