/**
 * One model, one question at a time: what `tacit chat` is made of. Each answer streams as text.
 * May not know: terminals.
 */

import type { Engine } from "../engine/engine.js";
import type { OpenedModel } from "../engine/opened.js";
import { ability, refuseRules } from "../engine/refusals.js";
import { checkTemperature, type GenerateRequest } from "../engine/requests.js";
import { chatOptions } from "../options/generate.js";
import { type Settled, settled } from "../options/template.js";
import { type Emitter, type Watch, watched } from "../records/events.js";
import type { TextModel } from "../text/tokenizer.js";
import type { OptionsOf } from "../util/options.js";
import { type GeneratePlan, mostTokens, planRules, renderer } from "./generate-plan.js";
import { engineOf } from "./open-engine.js";

export interface ChatOptions extends OptionsOf<typeof chatOptions> {
  readonly engine?: Engine;
}

export interface Reply {
  readonly text: string;
  readonly tokens: number;
  /** Why it ended; `interrupted` by the caller's signal. */
  readonly stop: "eos" | "length" | "interrupted";
  readonly seconds: number;
}

export interface Chat {
  /** The rules that hold now: their name, and strings that are not one token here. */
  readonly rules: { readonly name: string; readonly unresolved: readonly string[] } | undefined;
  /** Answers; `onText` gets the text piece by piece. */
  ask(question: string, onText: (piece: string) => void, signal?: AbortSignal): Promise<Reply>;
  /** Takes other rules from the next answer on; undefined for none. */
  setRules(spec: string | undefined): Promise<void>;
  /** Forgets the questions and answers so far. */
  reset(): void;
  close(): Promise<void>;
}

/** @throws UserError  something about model, rules or options is wrong */
export const openChat = (options: ChatOptions, watch: Watch = {}): Promise<Chat> =>
  watched("chat", watch, (say) => openModel(settled(chatOptions, options), engineOf(options), say));

type SettledChat = Settled<typeof chatOptions, ChatOptions>;

async function openModel(options: SettledChat, engine: Engine, say: Emitter): Promise<Chat> {
  checkTemperature(options.temperature);
  const model = await engine.open(options.model);
  try {
    for (const note of model.notes) say.note(note);
    ability(model, "generate");
    if (options.rules !== undefined) refuseRules(model);
    return await chatWith(model, options);
  } catch (error) {
    await model[Symbol.asyncDispose]();
    throw error;
  }
}

async function chatWith(model: OpenedModel, options: SettledChat): Promise<Chat> {
  const { text } = model;
  let rules = await planRules(options, text);
  const history = openHistory(text, options);
  let asked = 0;
  return {
    get rules() {
      return rules?.record;
    },
    async ask(question, onText, signal) {
      const request = { id: `turn_${asked++}`, ...history.render(question) };
      const { ids, ...reply } = await answer(model, request, { options, rules, onText, signal });
      history.add(request, ids, reply.stop);
      return reply;
    },
    async setRules(spec) {
      if (spec !== undefined) refuseRules(model);
      rules = spec === undefined ? undefined : await planRules({ ...options, rules: spec }, text);
    },
    reset: () => history.reset(),
    close: async () => model[Symbol.asyncDispose](),
  };
}

/** The pieces of one answer as they come; `answer` is the whole, when it has ended. */
export interface AnswerStream extends AsyncIterable<string> {
  readonly answer: Promise<Reply>;
}

/**
 * One question to one model, which is opened for it and closed behind it; for several, `openChat`. Whoever stops reading stops the answer.
 *
 * @throws UserError  as `openChat`; thrown where pieces are read, and by `answer`
 * @example
 * const stream = chat({ model: "tuned", question: "What is a bear?" });
 * for await (const piece of stream) process.stdout.write(piece);
 * const { stop, tokens } = await stream.answer;
 */
export function chat({ question, signal, onEvent, ...options }: OneQuestion): AnswerStream {
  const pieces: string[] = [];
  const stopped = new AbortController();
  const either = signal === undefined ? stopped.signal : AbortSignal.any([signal, stopped.signal]);
  let wake = (): void => {};
  let ended = false;
  const answer = (async (): Promise<Reply> => {
    const opened = await openChat(options, { onEvent });
    try {
      return await opened.ask(
        question,
        (piece) => {
          pieces.push(piece);
          wake();
        },
        either,
      );
    } finally {
      await opened.close();
    }
  })().finally(() => {
    ended = true;
    wake();
  });
  answer.catch(() => {}); // whoever reads the pieces or awaits the answer is told
  async function* read(): AsyncGenerator<string, void, undefined> {
    try {
      for (;;) {
        const next = pieces.shift();
        if (next !== undefined) yield next;
        else if (ended) break;
        else
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
      }
      await answer;
    } finally {
      stopped.abort();
    }
  }
  return { answer, [Symbol.asyncIterator]: read };
}

export interface OneQuestion extends Omit<ChatOptions, "multiTurn">, Watch {
  readonly question: string;
  /** Aborted: the answer ends as `interrupted`. */
  readonly signal?: AbortSignal | undefined;
}

interface Asked {
  readonly options: SettledChat;
  readonly rules: GeneratePlan["rules"];
  readonly onText: (piece: string) => void;
  readonly signal: AbortSignal | undefined;
}

async function answer(
  model: OpenedModel,
  request: GenerateRequest,
  { options, rules, onText, signal }: Asked,
): Promise<Reply & { readonly ids: readonly number[] }> {
  const started = performance.now();
  const { text, stopIds } = model;
  const generate = ability(model, "generate");
  const ids: number[] = [];
  const stream = openTextStream(text, onText);
  let stop: Reply["stop"] = "interrupted";
  try {
    const results = generate([request], {
      maxNewTokens: mostTokens(options, rules),
      stopIds,
      temperature: options.temperature,
      seed: options.seed,
      batch: 1,
      ...rulesFor(model, rules),
      onToken: (_, id) => {
        ids.push(id);
        stream.push(ids);
      },
      ...(signal === undefined ? {} : { signal }),
    });
    for await (const result of results) stop = result.stop;
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
  stream.end(ids);
  return {
    ids,
    text: text.tokenizer.decode(ids),
    tokens: ids.length,
    stop,
    seconds: (performance.now() - started) / 1000,
  };
}

/** Switching rules on or off must not compile another program: without rules, rules that say nothing hold. */
function rulesFor({ capabilities, text: { eosId } }: OpenedModel, rules: GeneratePlan["rules"]) {
  if (!capabilities.logitRules) return {};
  const none = { eosId, constant: new Map<number, number>(), eosRamps: [], usedTokens: [] };
  return { rules: rules?.resolved ?? none };
}

/**
 * Ids so far to new text: what a later id could still change (half a character) waits. Only the last ids are decoded: the window begins
 * with what was whole one step before, because a decoder may take the space off the first piece that it is given.
 */
export function openTextStream({ tokenizer }: TextModel, onText: (piece: string) => void) {
  let shown = "";
  let from = 0; // where the window begins
  let whole = 0; // ids before it are whole characters
  let visible = ""; // what is shown of the window
  const say = (piece: string): void => {
    shown += piece;
    if (piece !== "") onText(piece);
  };
  return {
    push(ids: readonly number[]): void {
      const text = tokenizer.decode(ids.slice(from));
      const safe = text.replace(/\ufffd+$/, "");
      if (!safe.startsWith(visible)) return;
      say(safe.slice(visible.length));
      visible = safe;
      if (safe !== text) return;
      const tail = tokenizer.decode(ids.slice(whole));
      if (tail !== "" && text.endsWith(tail)) [from, visible] = [whole, tail];
      whole = ids.length;
    },
    end(ids: readonly number[]): void {
      const text = tokenizer.decode(ids);
      say(text.startsWith(shown) ? text.slice(shown.length) : `\n${text}`); // a decoder that rewrote what was shown already
    },
  };
}

interface History {
  render(question: string): Pick<GenerateRequest, "promptIds" | "conversationIds">;
  add(request: GenerateRequest, ids: readonly number[], stop: Reply["stop"]): void;
  reset(): void;
}

function openHistory(text: TextModel, options: SettledChat): History {
  const render = renderer(text, options);
  let before: { promptIds: readonly number[]; conversationIds: readonly number[] } | undefined;
  return {
    render(question) {
      if (before === undefined || !options.multiTurn) return render.first(question);
      const later = render.later(question);
      return {
        promptIds: [...before.promptIds, ...later],
        conversationIds: [...before.conversationIds, ...later],
      };
    },
    add({ promptIds, conversationIds }, ids) {
      // Training closes every response with the EOS; an answer that was cut off is closed the same way.
      const closed = [...ids, text.eosId];
      before = { promptIds: [...promptIds, ...closed], conversationIds: [...conversationIds, ...closed] };
    },
    reset() {
      before = undefined;
    },
  };
}
