/**
 * `tacit chat`: a small prompt on the terminal, the quickest way to see what a model, or a rule, does.
 * May not know: how answers are computed.
 */

import { createInterface, type Interface } from "node:readline";
import type { Command } from "commander";
import { chatOptions } from "../../options/generate.js";
import type { Chat, Reply } from "../../steps/chat.js";
import { UserError, userErrorOf } from "../../util/errors.js";
import type { FlagsOf } from "../../util/options.js";
import { formatRate } from "../../util/progress.js";
import { type Paint, paintFor, printable } from "../../util/terminal.js";
import { addOptions } from "../flags.js";
import { type Io, mistakeLine, runAction } from "../run-action.js";
import { templateNames, withTemplate } from "../template-options.js";

const commandsHelp = `/rules            what rules hold now
/rules on         the rules of --rules again (paper where none were named)
/rules off        the model alone
/rules NAME       paper, reference, or a rule file
/reset            forget the conversation (--multi-turn)
/help             this list
/quit             leave; so does Ctrl-D. Ctrl-C stops an answer`;

const help = `
Each line is one instruction and stands alone, unless --multi-turn. Lines that begin with a slash are commands:
${commandsHelp.replaceAll(/^/gm, "  ")}

Without a terminal it answers one line of standard input after another.

Examples:
  tacit chat --model models/base
  tacit chat --model models/base --rules paper
  echo 'What is the capital of Japan?' | tacit chat --model models/base --rules paper`;

type ChatFlags = FlagsOf<typeof chatOptions>;

export function registerChat(program: Command): void {
  const command = program
    .command("chat")
    .description("Asks a model one thing at a time and shows the answer as it comes, and why it ended.");
  addOptions(command, chatOptions, { templates: templateNames() })
    .addHelpText("after", help)
    .action((flags: ChatFlags) => runAction(flags, (io) => runChat(flags, io)));
}

async function runChat(flags: ChatFlags, io: Io): Promise<object> {
  const { openChat } = await import("../../steps/chat.js");
  const options = withTemplate(flags);
  const signal = io.signal; // asked for once: from here on the first SIGTERM stops in an orderly way
  const interactive = process.stdin.isTTY === true;
  if (interactive) io.note("tacit: reading the model; /help lists the commands");
  const chat = await openChat(options, { onEvent: io.onEvent });
  const paint = paintFor(process.stdout);
  const session: Session = { chat, io, paint, first: flags.rules ?? "paper", running: undefined, turns: [] };
  try {
    sayRules(session);
    await converse(session, interactive, signal);
  } finally {
    await chat.close();
  }
  return { model: flags.model, turns: session.turns };
}

/** One instruction and its answer, as `--json` tells it. */
interface Turn {
  readonly instruction: string;
  readonly output: string;
  readonly tokens: number;
  readonly stop: Reply["stop"];
  /** The rules that held, or null. */
  readonly rules: string | null;
}

interface Session {
  readonly chat: Chat;
  readonly io: Io;
  readonly paint: Paint;
  /** What `/rules on` takes. */
  readonly first: string;
  /** Of the answer that is under way. */
  running: AbortController | undefined;
  readonly turns: Turn[];
}

async function converse(session: Session, interactive: boolean, signal: AbortSignal): Promise<void> {
  const reader = createInterface({
    input: process.stdin,
    ...(interactive ? { output: session.io.json ? process.stderr : process.stdout } : {}),
    prompt: "> ",
  });
  const stop = (): void => reader.close();
  signal.addEventListener("abort", stop);
  reader.on("SIGINT", () => {
    if (session.running === undefined) reader.close();
    else session.running.abort();
  });
  try {
    for await (const line of linesOf(reader, interactive)) {
      if (line.trim() === "") continue;
      if (!(await take(session, line, signal))) break;
    }
  } finally {
    signal.removeEventListener("abort", stop);
    reader.close();
  }
  if (interactive) session.io.out("\n");
  signal.throwIfAborted();
}

/** Lines in order, the next prompt shown only when the one before is answered. */
async function* linesOf(reader: Interface, interactive: boolean): AsyncGenerator<string> {
  const lines = reader[Symbol.asyncIterator]();
  for (;;) {
    if (interactive) reader.prompt();
    const next = await lines.next();
    if (next.done === true) return;
    yield next.value;
  }
}

/** One line: a command or an instruction. False where it was the last. */
async function take(session: Session, line: string, signal: AbortSignal): Promise<boolean> {
  try {
    if (line.startsWith("/")) return await obey(session, line.trim());
    await ask(session, line, signal);
  } catch (error) {
    const mistake = userErrorOf(error); // a mistyped rule file must not end the conversation
    if (mistake === undefined) throw error;
    session.io.note(`tacit: ${mistakeLine(mistake)}`);
  }
  return true;
}

async function ask(session: Session, question: string, signal: AbortSignal): Promise<void> {
  const controller = new AbortController();
  const pass = (): void => controller.abort();
  signal.addEventListener("abort", pass);
  session.running = controller;
  try {
    const reply = await session.chat.ask(question, (piece) => session.io.out(printable(piece)), controller.signal);
    session.io.out(`\n${session.paint("dim", `[${ending(reply)}]`)}\n`);
    const { text: output, tokens, stop } = reply;
    session.turns.push({ instruction: question, output, tokens, stop, rules: session.chat.rules?.name ?? null });
  } finally {
    session.running = undefined;
    signal.removeEventListener("abort", pass);
  }
}

const endings: Readonly<Record<Reply["stop"], string>> = {
  eos: "ended by itself",
  length: "ran into the limit",
  interrupted: "stopped",
};
const ending = ({ stop, tokens, seconds }: Reply): string =>
  `${endings[stop]} · ${tokens} tokens · ${formatRate(tokens / seconds, "tokens")}`;

async function obey(session: Session, line: string): Promise<boolean> {
  const { chat, io } = session;
  const [command, ...words] = line.split(/\s+/);
  const argument = words.join(" ");
  switch (command) {
    case "/quit":
    case "/exit":
      return false;
    case "/help":
      io.out(`${commandsHelp}\n`);
      return true;
    case "/reset":
      chat.reset();
      io.out("the conversation starts again\n");
      return true;
    case "/rules":
      if (argument === "off") await chat.setRules(undefined);
      else if (argument !== "") await chat.setRules(argument === "on" ? session.first : argument);
      sayRules(session);
      return true;
    default:
      throw new UserError(`there is no command ${command}`, { remedy: "/help lists them" });
  }
}

function sayRules({ chat, io, paint }: Session): void {
  const { rules } = chat;
  io.out(paint("dim", rules === undefined ? "rules: none" : `rules: ${rules.name}`));
  io.out("\n");
  for (const text of rules?.unresolved ?? []) {
    io.note(`tacit: the rules name ${JSON.stringify(text)}, which is not one token here; it is ignored`);
  }
}
