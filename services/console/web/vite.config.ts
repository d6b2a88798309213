import { defineConfig } from "vitest/config";

export default defineConfig({
  build: {
    target: "es2022",
    // The console's content security policy has no room for inline scripts, styles or data.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  test: { environment: "happy-dom", include: ["test/**/*.test.ts"] },
});
