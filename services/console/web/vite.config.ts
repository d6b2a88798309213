import { defineConfig } from "vitest/config";
import { included } from "./screens.ts";
import { systemFonts } from "./system-fonts.ts";

const root = import.meta.dirname;

export default defineConfig({
  plugins: [{ name: "screens", transformIndexHtml: { order: "pre", handler: (html: string) => included(html, root) } }],
  css: { postcss: { plugins: [systemFonts] } },
  build: {
    target: "es2022",
    // The console's content security policy has no room for inline scripts, styles or data.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // It takes govuk-frontend's newer rules for faults.
    cssMinify: false,
  },
  test: {
    // A worker and its browser leave a good part of two cores unused.
    maxWorkers: 2,
    projects: [
      { extends: true, test: { name: "page", environment: "happy-dom", pool: "threads", include: ["test/**/*.test.ts"] } },
      // Files of one process share their browser: to begin one takes as long as a test.
      { extends: true, test: { name: "browser", environment: "node", include: ["browser/**/*.test.ts"], isolate: false, expect: { poll: { timeout: 15_000 } } } },
    ],
  },
});
