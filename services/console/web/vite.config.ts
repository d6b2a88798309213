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
  test: { environment: "happy-dom", include: ["test/**/*.test.ts", "browser/**/*.test.ts"] },
});
