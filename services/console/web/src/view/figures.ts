// How the desk does, in figures: now, in the whole of some time, and by the hour. A figure that nobody can tell is a dash.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { get, make } from "../dom";
import { duration, time, weekday, zoned } from "../format";
import type { DeskFigures, DeskNow } from "../gen/alcove/transfer/v1/service_pb";
import { age } from "./age";


/** Seconds as "1:05". */
const within = (seconds: number | undefined) => (seconds === undefined ? "–" : duration(seconds * 1000));

/** "01:00", with the zone's name in the night in which there are two of it. */
function hourOf(at: Date): string {
  const name = time(at);
  return [-3_600_000, 3_600_000].some((ms) => time(at.getTime() + ms) === name) ? zoned(at) : name;
}

export function renderNow(now: DeskNow): void {
  const longest = now.waitingSince ? age("span", timestampDate(now.waitingSince)) : "–";
  tiles("now", [
    ["Waiting", String(now.waiting), now.waiting > 0],
    ["Longest wait", longest, now.waitingSince !== undefined],
    ["In a call", String(now.inCall)],
    // Somebody waits, and nobody can take them.
    ["Officers free", String(now.free), now.waiting > 0 && now.free === 0],
  ]);
}

export function renderWhole(whole: DeskFigures): void {
  tiles("whole", [
    ["Came", String(whole.came)],
    ["Served", String(whole.served)],
    ["Unserved", String(whole.unserved)],
    ["Abandoned", String(whole.abandoned)],
    ["Call-backs kept", whole.callbacksAgreed > 0 ? `${whole.callbacksKept} of ${whole.callbacksAgreed}` : "–"],
    ["Half answered within", within(whole.answerP50S)],
    ["95 % answered within", within(whole.answerP95S)],
  ]);
}

/** The newest first: that is the one that something can be done about. */
export function renderHours(hours: DeskFigures[]): void {
  let day = "";
  const rows = [...hours].reverse().map((one) => {
    const at = one.hour ? timestampDate(one.hour) : new Date(0);
    const tr = make("tr", "", { class: "govuk-table__row" });
    const name = make("th", hourOf(at), { class: "govuk-table__cell", scope: "row" });
    // Said where it changes; whoever hears a row hears it there, too.
    if (day !== weekday(at)) name.append(" ", make("span", (day = weekday(at)), { class: "hush" }));
    const cells = [one.came, one.served, one.unserved, one.abandoned, within(one.answerP50S), within(one.answerP95S)];
    tr.append(name, ...cells.map((cell) => make("td", String(cell), { class: "govuk-table__cell figure" })));
    return tr;
  });
  get("hour-rows").replaceChildren(...rows);
  get("hours").hidden = rows.length === 0;
  get("hours-none").hidden = rows.length > 0;
}

/** Until they are heard. */
export function clearWhole(): void {
  for (const id of ["whole", "hour-rows"]) get(id).replaceChildren();
  for (const id of ["hours", "hours-none"]) get(id).hidden = true;
}

/** `bad`: what a sergeant looks at first. */
function tiles(id: string, all: [term: string, about: string | HTMLElement, bad?: boolean][]): void {
  get(id).replaceChildren(
    ...all.map(([term, about, bad = false]) => {
      const tile = make("div", "", { class: "tile", "data-bad": String(bad) });
      const figure = make("dd");
      figure.append(about);
      tile.append(make("dt", term), figure);
      return tile;
    }),
  );
}
