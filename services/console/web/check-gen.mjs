// Fails when src/gen is not what proto/ now gives.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const fresh = mkdtempSync(join(tmpdir(), "alcove-gen-"));
const files = (dir) =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(dir.length + 1))
    .sort();
try {
  const template = JSON.stringify({
    version: "v2",
    plugins: [{ local: "node_modules/.bin/protoc-gen-es", out: fresh, opt: "target=ts" }],
  });
  execFileSync("node_modules/.bin/buf", ["generate", "../../../proto", "--template", template], { stdio: "inherit" });
  const [now, then] = [files(fresh), files("src/gen")];
  const same = now.join() === then.join() && now.every((file) => readFileSync(join(fresh, file)).equals(readFileSync(join("src/gen", file))));
  if (!same) {
    console.error("src/gen has drifted from proto/: run `npm run gen` in services/console/web");
    process.exitCode = 1;
  }
} finally {
  rmSync(fresh, { recursive: true, force: true });
}
