/** A conversation turn by turn: what the model is given, how text streams, how it is stopped, which rules hold. */
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mockEngine } from "../../test/mock-engine.js";
import type { Engine } from "../engine/engine.js";
import type { Decoding, GenerateRequest } from "../engine/requests.js";
import { templateFrom } from "../options/template.js";
import { loadTextModel } from "../text/load.js";
import { renderExample, renderPrompt } from "../text/render.js";
import { type ChatOptions, openChat, openTextStream } from "./chat.js";

const folder = (name: string): string => join(import.meta.dirname, "..", "..", "test", "fixtures", "models", name);
const model = folder("llama");

/** Answers with the ids of `text`, token by token; stops where the signal says so. */
async function scripted(text: string, options: Partial<ChatOptions> = {}) {
  const { tokenizer } = await loadTextModel(model);
  const ids = tokenizer.encode(text, { special: false, plainText: true, continued: true });
  const asked: GenerateRequest[] = [];
  const given: Decoding[] = [];
  const mock = mockEngine({ logitRules: true });
  const engine: Engine = {
    ...mock,
    open: async (directory) => ({
      ...(await mock.open(directory)),
      async *generate([request]: readonly GenerateRequest[], engineOptions: Decoding) {
        asked.push(request!);
        given.push(engineOptions);
        for (const id of ids) {
          engineOptions.signal?.throwIfAborted();
          engineOptions.onToken?.(0, id);
        }
        yield { id: request!.id, ids, stop: "eos" as const };
      },
    }),
  };
  return { chat: await openChat({ model, engine, ...options }), asked, given };
}

describe("turns", () => {
  it("stand alone by default", async () => {
    const { chat, asked } = await scripted("Blue.");
    const text = await loadTextModel(model);
    const pieces: string[] = [];
    expect(await chat.ask("Name a colour.", (piece) => pieces.push(piece))).toMatchObject({
      text: "Blue.",
      stop: "eos",
    });
    await chat.ask("And another.", () => {});
    expect(pieces.join("")).toBe("Blue.");
    const prompts = ["Name a colour.", "And another."].map((q) => renderPrompt(text, templateFrom(), q));
    expect(asked.map(({ promptIds, conversationIds }) => ({ promptIds, conversationIds }))).toEqual(prompts);
  });

  it("see those before them with --multi-turn, in the format of training, until a reset", async () => {
    const { chat, asked } = await scripted("Blue.", { multiTurn: true });
    const text = await loadTextModel(model);
    await chat.ask("Name a colour.", () => {});
    await chat.ask("And another.", () => {});
    const messages = (["Name a colour.", "Blue.", "And another.", "x"] as const).map((content, i) => ({
      role: i % 2 === 0 ? ("user" as const) : ("assistant" as const),
      content,
    }));
    const row = renderExample(text, templateFrom(), { id: "d", messages });
    const second = asked[1]!.promptIds;
    expect(second).toEqual(row.inputIds.slice(0, second.length));
    expect(row.labels[second.length]).not.toBe(-100); // what follows is the second response
    chat.reset();
    await chat.ask("Name a colour.", () => {});
    expect(asked[2]!.promptIds).toEqual(asked[0]!.promptIds);
  });

  it("are stopped by a signal, with what was said so far", async () => {
    const { chat } = await scripted("Blue and green.");
    const controller = new AbortController();
    let said = "";
    const stopAfterOne = (piece: string): void => {
      said += piece;
      controller.abort();
    };
    const reply = await chat.ask("Name a colour.", stopAfterOne, controller.signal);
    expect(reply).toMatchObject({ text: said, tokens: 1, stop: "interrupted" });
  });
});

describe("rules", () => {
  it("are switched without another kind of program: none is a set that says nothing", async () => {
    const { chat, given } = await scripted("Blue.");
    expect(chat.rules).toBeUndefined();
    await chat.ask("a", () => {});
    await chat.setRules("paper");
    expect(chat.rules?.name).toBe("paper");
    await chat.ask("a", () => {});
    await chat.setRules(undefined);
    await chat.ask("a", () => {});
    expect(given.map(({ rules }) => [rules!.constant.size > 0, rules!.eosRamps.length > 0])).toEqual([
      [false, false],
      [true, true],
      [false, false],
    ]);
    await expect(chat.setRules("nowhere.yaml")).rejects.toThrow("nowhere.yaml: no such file or folder");
  });

  it("are refused, at once or when they are asked for, where the engine takes none", async () => {
    const engine = mockEngine();
    const refusal = /the engine mock cannot change logits at every step/;
    await expect(openChat({ model, engine, rules: "paper" })).rejects.toThrow(refusal);
    const chat = await openChat({ model, engine });
    await expect(chat.setRules("paper")).rejects.toThrow(refusal);
    expect((await chat.ask("a", () => {})).stop).toBe("eos");
    await chat.close();
    const silent = mockEngine({ without: ["generate"] });
    await expect(openChat({ model, engine: silent })).rejects.toThrow("the engine mock does not generate");
    expect(silent.held()).toBe(0);
  });
});

it("the streamed pieces are the text, and half a character is never shown", async () => {
  for (const name of ["llama", "gpt2"]) {
    const text = await loadTextModel(folder(name));
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 12 }), (whole) => {
        const ids = text.tokenizer.encode(whole, { special: false, plainText: true });
        const final = text.tokenizer.decode(ids);
        let shown = "";
        const stream = openTextStream(text, (piece) => {
          shown += piece;
          if (!final.startsWith(shown)) throw new Error(`${JSON.stringify(shown)} of ${JSON.stringify(final)}`);
        });
        for (let n = 1; n <= ids.length; n++) stream.push(ids.slice(0, n));
        stream.end(ids);
        expect(shown).toBe(final);
      }),
      { numRuns: 50 },
    );
  }
});

it("a long answer costs no more a token than a short one", async () => {
  for (const name of ["llama", "gpt2"]) {
    const text = await loadTextModel(folder(name));
    const ids = text.tokenizer.encode("Word upon word, été and 日本. ".repeat(30), { special: false, plainText: true });
    let decoded = 0;
    const counting = (some: readonly number[]): string => {
      decoded += some.length;
      return text.tokenizer.decode(some);
    };
    let shown = "";
    const stream = openTextStream({ ...text, tokenizer: { ...text.tokenizer, decode: counting } }, (piece) => {
      shown += piece;
    });
    for (let n = 1; n <= ids.length; n++) stream.push(ids.slice(0, n));
    expect(decoded).toBeLessThan(12 * ids.length); // the bytes of one character and the one before it, twice
    stream.end(ids);
    expect(shown).toBe(text.tokenizer.decode(ids));
  }
});
