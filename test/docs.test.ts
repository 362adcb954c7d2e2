/** Every relative link in the pages leads to a file, to a heading of it where it names one, and from a shipped page to a shipped file. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { repositoryRoot } from "./staged-package.js";

const pages = [
  ...["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "bench/README.md", "python/README.md"],
  ...readdirSync(join(repositoryRoot, "docs"), { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".md"))
    .map((file) => join("docs", file)),
].map((page) => join(repositoryRoot, page));

/** Text without what is code: a link in an example is not one of ours. */
const prose = (markdown: string): string =>
  markdown.replaceAll(/^```[\s\S]*?^```$/gm, "").replaceAll(/`[^`\n]*`/g, "code");

/** `[text](target)` and `[text]: target`. */
const linksOf = (markdown: string): string[] =>
  [...prose(markdown).matchAll(/\]\(([^)\s]+)[^)]*\)|^\[[^\]]+\]:\s*(\S+)/gm)].map(
    ([, inline, below]) => inline ?? below!,
  );

/** GitHub's anchors of the headings. */
const anchorsOf = (markdown: string): string[] =>
  [...markdown.replaceAll(/^```[\s\S]*?^```$/gm, "").matchAll(/^#{1,6} +(.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );

const isRelative = (link: string): boolean => !/^[a-z][a-z+.-]*:/i.test(link);

function broken(page: string): string[] {
  return linksOf(readFileSync(page, "utf8"))
    .filter(isRelative)
    .filter((link) => {
      const [path = "", anchor] = link.split("#");
      const target = path === "" ? page : resolve(dirname(page), decodeURIComponent(path));
      if (relative(repositoryRoot, target).startsWith("..") || !existsSync(target)) return true;
      return anchor !== undefined && !anchorsOf(readFileSync(target, "utf8")).includes(anchor);
    });
}

describe("links", () => {
  it.each(pages.map((page) => relative(repositoryRoot, page)))("%s", (page) => {
    expect(broken(join(repositoryRoot, page))).toEqual([]);
  });

  it("lead from pages of the package to files of the package", () => {
    const { files } = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8")) as { files: string[] };
    const isShipped = (path: string): boolean => files.some((one) => path === one || path.startsWith(`${one}/`));
    const astray = pages
      .filter((page) => isShipped(relative(repositoryRoot, page)))
      .flatMap((page) =>
        linksOf(readFileSync(page, "utf8"))
          .filter((link) => isRelative(link) && !link.startsWith("#"))
          .map((link) => relative(repositoryRoot, resolve(dirname(page), decodeURIComponent(link.split("#")[0]!))))
          .filter((target) => !isShipped(target))
          .map((target) => `${relative(repositoryRoot, page)}: ${target}`),
      );
    expect(astray).toEqual([]);
  });

  it("are found where they stand, not in code", () => {
    const text = "[a](x.md) `[b](y.md)`\n\n```\n[c](z.md)\n```\n\n[d]: w.md#here\n[`e`](v.md)";
    expect(linksOf(text)).toEqual(["x.md", "w.md#here", "v.md"]);
    expect(anchorsOf("# A page\n\n## `tacit tune`: what, why\n")).toEqual(["a-page", "tacit-tune-what-why"]);
  });

  it("lead from the guide to a page of every command", () => {
    const guide = linksOf(readFileSync(join(repositoryRoot, "docs", "guide", "README.md"), "utf8"));
    const commands = readdirSync(join(repositoryRoot, "src", "cli", "commands")).filter(
      (file) => !file.includes(".test."),
    );
    expect(guide).toEqual(expect.arrayContaining(commands.map((file) => file.replace(/\.ts$/, ".md"))));
  });
});
