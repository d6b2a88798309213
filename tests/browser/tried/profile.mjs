// What a profile has of a site, closer than by file: which of Chromium's preferences, which of Firefox's permissions; and whether anybody
// who opens the browser's history sees the visit.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export function named(home, host) {
  return [...preferences(home, host), ...permissions(home, host)];
}

function preferences(home, host) {
  let all;
  try {
    all = JSON.parse(readFileSync(join(home, "profile/Default/Preferences"), "utf8"));
  } catch {
    return [];
  }
  return paths(all, host).map((path) => `Preferences: ${path}`);
}

function paths(value, host, path = []) {
  if (typeof value === "string") return value.includes(host) ? [path.join(".")] : [];
  if (!value || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([key, inner]) => {
    const setting = inner?.setting;
    return key.includes(host) ? [`${path.join(".")}${typeof setting === "number" ? ` = ${setting}` : ""}`] : paths(inner, host, [...path, key]);
  });
}

const permissions = (home, host) =>
  ask(home, "permissions.sqlite", `select group_concat(type || ' = ' || permission, char(10)) from (select * from moz_perms where origin like '%${host}%' order by type)`)
    .map((row) => `moz_perms: ${row}`);

// How many visits Chromium's history page would show, and Firefox's suggestions.
export function shownVisits(home, host) {
  const [chromium] = ask(home, "Default/History", `select count(*) from urls where hidden = 0 and url like '%${host}%'`);
  return chromium ?? ask(home, "places.sqlite", `select count(*) from moz_places where hidden = 0 and frecency != 0 and url like '%${host}%'`)[0];
}

function ask(home, file, query) {
  const script = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])";
  try {
    const said = execFileSync("python3", ["-c", script, join(home, "profile", file), query], { stdio: ["ignore", "pipe", "ignore"] }).toString().trim();
    return said === "None" ? [] : said.split("\n");
  } catch {
    return [];
  }
}
