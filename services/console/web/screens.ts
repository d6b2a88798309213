// The page is put together from a file for each part of it: `<!-- include screens/desk.html -->` is that file, and what it includes.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

export function included(html: string, root: string): string {
  return html.replace(/<!-- include (\S+) -->/g, (_, path: string) => included(readFileSync(resolve(root, path), "utf8"), root));
}

/** The whole page, as a browser gets it. */
export function page(root: string): string {
  return included(readFileSync(resolve(root, "index.html"), "utf8"), root);
}

/** What its body holds but the script, for a page of a test. */
export function body(root: string): string {
  return /<body[^>]*>([\s\S]*)<script/.exec(page(root))![1]!;
}
