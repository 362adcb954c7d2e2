/**
 * Does a large report scroll without stutter?
 *
 * A made-up study's page is opened in headless Chromium and scrolls itself from top to bottom, 120 pixels a frame; the times between
 * frames are what a reader would see. The same is done on an empty page of the same height: what that one takes is the machine's, not
 * the report's. On a busy machine only the processor time of a frame tells (of all of Chromium's processes, drawing without a graphics card
 * included; Linux). The page is served from here with a script put in, since reports themselves forbid any.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout } from "node:timers/promises";
import { report } from "../src/report/report.js";
import { UserError } from "../src/util/errors.js";
import { type Bench, type Figure, type Settings, temporaryFolder } from "./bench.js";
import { madeUpStudy } from "./made-up-study.js";
import { median } from "./measure.js";

const LONGEST_SECONDS = 240;
/** Frames are due every 16.7 ms; a reader sees one that is three times late. */
const STUTTER_MS = 50;

/** In the page: scrolls by so many pixels a frame, and tells the times between frames. */
const script = (pixels: number) => `<script>addEventListener("load", () => setTimeout(() => {
  const times = []; let last; let y = 0;
  const frame = (now) => {
    if (last !== undefined) times.push(now - last);
    last = now; y += ${pixels};
    scrollTo(0, y);
    if (y < document.documentElement.scrollHeight - innerHeight) requestAnimationFrame(frame);
    else fetch("/result", { method: "POST", body: JSON.stringify({ times, height: document.documentElement.scrollHeight }) });
  };
  fetch("/begin", { method: "POST" }).then(() => requestAnimationFrame(frame));
}, 1000));</script>`;

interface Scrolled {
  /** Milliseconds between frames. */
  readonly times: readonly number[];
  /** Pixels. */
  readonly height: number;
  /** Seconds on the processor. */
  readonly processor: number;
}

export const scroll: Bench = {
  about: "a large report scrolling in headless Chromium",
  flags: { chromium: { value: "PATH", help: "the browser (chromium)" } },
  async *run(settings) {
    const size = settings.quick ? { arms: 2, seeds: 1, prompts: 20 } : { arms: 10, seeds: 5, prompts: 805 };
    const pixels = settings.quick ? 600 : 120;
    using folder = temporaryFolder();
    madeUpStudy(folder.at("study"), size);
    await report({ study: folder.at("study"), out: folder.at("report") });
    const page = readFileSync(folder.at("report/index.html"), "utf8").replace(
      /<meta http-equiv="Content-Security-Policy"[^>]*>/,
      "",
    );
    const title = `scrolling a report of ${size.arms} arms × ${size.seeds} seeds × ${size.prompts} prompts`;
    const own = await scrolled(page.replace("</head>", `${script(pixels)}</head>`), settings);
    if (own === undefined) {
      yield { title, figures: [], notes: ["Left out: there is no Chromium (--chromium PATH)."] };
      return;
    }
    const empty = `<!doctype html><html><head>${script(pixels)}</head><body style="height:${own.height}px"></body></html>`;
    const bare = await scrolled(empty, settings);
    yield {
      title: `${title}, ${own.height} pixels high, ${pixels} a frame`,
      figures: [figureOf("the report", own), ...(bare ? [figureOf("an empty page of that height", bare)] : [])],
    };
  },
};

function figureOf(work: string, { times, processor }: Scrolled): Figure {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  const more = {
    frames: `${times.length}`,
    "processor, ms a frame": ((1000 * processor) / times.length).toFixed(1),
    "95 %": at(0.95).toFixed(1),
    "99 %": at(0.99).toFixed(1),
    [`later than ${STUTTER_MS} ms`]: `${times.filter((ms) => ms > STUTTER_MS).length}`,
  };
  return { work, unit: "ms between frames", figure: median(times), lowest: at(0), highest: at(1), more };
}

/** Seconds on the processor of a process and all below it, out of /proc. A tick is 10 ms. */
function processorSeconds(root: number): number {
  const stats = new Map<number, { readonly parent: number; readonly seconds: number }>();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ");
      stats.set(Number(pid), { parent: Number(fields[1]), seconds: (Number(fields[11]) + Number(fields[12])) / 100 });
    } catch {
      // ended meanwhile
    }
  }
  const isBelow = (pid: number): boolean => {
    const parent = stats.get(pid)?.parent;
    return pid === root || (parent !== undefined && isBelow(parent));
  };
  return [...stats].filter(([pid]) => isBelow(pid)).reduce((sum, [, { seconds }]) => sum + seconds, 0);
}

/** Undefined where there is no such browser, with `--quick` alone. */
async function scrolled(html: string, settings: Settings): Promise<Scrolled | undefined> {
  using profile = temporaryFolder();
  const state: { child?: ChildProcess; before: number } = { before: Number.NaN };
  const processor = () => processorSeconds(state.child?.pid ?? 0);
  let tell: (found: Scrolled) => void = () => {};
  const told = new Promise<Scrolled>((resolve) => {
    tell = resolve;
  });
  const server = createServer((request, response) => {
    if (request.url === "/begin") state.before = processor();
    if (request.url !== "/result") {
      response.writeHead(200, { "content-type": "text/html; charset=utf-8" }).end(html);
      return;
    }
    let text = "";
    request.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    request.on("end", () => {
      response.end();
      tell({ ...JSON.parse(text), processor: processor() - state.before });
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const program = settings.text("chromium") ?? "chromium";
  const window = ["--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1200,900"];
  const args = [...window, `--user-data-dir=${profile.path}`, `http://127.0.0.1:${port}/`];
  const child = spawn(program, args, { stdio: "ignore", detached: true });
  state.child = child;
  const failed = once(child, "error").then(([error]) => {
    throw new UserError(`${program} cannot be started: ${error.message}`, {
      remedy: "name a Chromium with --chromium",
    });
  });
  const late = setTimeout(1000 * LONGEST_SECONDS, undefined, { ref: false }).then(() => {
    throw new Error(`no result within ${LONGEST_SECONDS} s`);
  });
  try {
    return await Promise.race([told, late, failed]);
  } catch (error) {
    if (settings.quick && child.pid === undefined) return undefined;
    throw error;
  } finally {
    server.closeAllConnections();
    server.close();
    if (child.pid !== undefined) {
      process.kill(-child.pid); // with its children
      await once(child, "exit");
    }
  }
}
