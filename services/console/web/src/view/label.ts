// What a picture shows, and where on the body: a map of words in the places of a body, so that it is read and tabbed through like any
// list. Left and right are the caller's own. What is done about it is in ../labels.ts.
import { get, make, say } from "../dom";
import { ChapterKind } from "../gen/alcove/session/v1/service_pb";

type Side = "front" | "back";
const WHAT: [key: string, words: string, kind: ChapterKind][] = [
  ["injury", "An injury", ChapterKind.INJURIES],
  ["scene", "The place", ChapterKind.SURROUNDINGS],
  ["document", "A document or a message", ChapterKind.OTHER],
];
/** From the top: the middle, or what the caller has two of. A `|` is what it is called from behind. */
const BODY: ["middle" | "both", string][] = [
  ["middle", "head"],
  ["middle", "face|ear"],
  ["middle", "neck"],
  ["middle", "chest|upper back"],
  ["both", "upper arm"],
  ["middle", "belly|lower back"],
  ["both", "forearm"],
  ["middle", "hips|buttocks"],
  ["both", "hand"],
  ["both", "thigh"],
  ["both", "lower leg"],
  ["both", "foot"],
];

interface Region {
  words: string;
  column: "start" | "middle" | "end";
  row: number;
}

/** Each with where it lies: whoever is seen from the front has their right on the left. */
export function regions(side: Side): Region[] {
  const named = (words: string) => words.split("|")[side === "back" ? 1 : 0] ?? words;
  const [first, second] = side === "front" ? ["right", "left"] : ["left", "right"];
  let row = 0;
  return BODY.flatMap<Region>(([where, words], n) => {
    // An arm is beside what it hangs beside; below the hips there is no middle.
    if (where === "middle" || BODY[n - 1]![0] === "both") row++;
    if (where === "middle") return [{ words: named(words), column: "middle", row }];
    return [{ words: `${first} ${words}`, column: "start", row }, { words: `${second} ${words}`, column: "end", row }];
  });
}

function radio(name: string, value: string, words: string, id: string, more: Record<string, string> = {}): HTMLElement {
  const item = make("div", "", { class: "govuk-radios__item", ...more });
  const field = make("input", "", { class: "govuk-radios__input", type: "radio", name, id, value, required: "" });
  item.append(field, make("label", words, { class: "govuk-label govuk-radios__label", for: id }));
  return item;
}

export function openLabel(number: string): void {
  get("label").dataset.number = number;
  say("label-trouble", "");
  get("label-what").replaceChildren(...WHAT.map(([key, words]) => radio("what", key, words, `label-${key}`)));
  get("label-side").replaceChildren(radio("side", "front", "From the front", "label-front"), radio("side", "back", "From behind", "label-back"));
  get<HTMLInputElement>("label-front").checked = true;
  renderLabel();
  get<HTMLDialogElement>("label").showModal();
  get("label-injury").focus();
}

const chosen = (name: string) => [...get("label-form").querySelectorAll("input")].find((one) => one.name === name && one.checked)?.value;

/** The map is asked for an injury only, and is another from behind. */
export function renderLabel(): void {
  const injury = chosen("what") === "injury";
  get("label-where").hidden = !injury;
  const side: Side = chosen("side") === "back" ? "back" : "front";
  const map = get("body-map");
  if (!injury) return map.replaceChildren();
  if (map.dataset.side === side && map.childElementCount > 0) return;
  map.dataset.side = side;
  const places = regions(side).map(({ words, column, row }) => {
    const place = radio("region", words, words, `region-${words.replaceAll(" ", "-")}`, { "data-column": column });
    place.style.gridRow = String(row);
    return place;
  });
  map.replaceChildren(...places);
}

/** As it is written down: "still-3: injury, left forearm, from behind". */
export function labelled(): { number: string; kind: ChapterKind; words: string } | undefined {
  const [key, , kind] = WHAT.find(([one]) => one === chosen("what")) ?? [];
  if (!key || kind === undefined) return undefined;
  const region = chosen("region");
  if (key === "injury" && !region) return undefined;
  const words = key === "injury" ? `injury, ${region}, from ${chosen("side") === "back" ? "behind" : "the front"}` : key;
  return { number: get("label").dataset.number ?? "", kind, words };
}

/** What the tray says of it from here on. */
export function renderLabelled(number: string, words: string): void {
  const item = get("tray").querySelector<HTMLElement>(`li[data-number="${number}"]`);
  const said = item?.querySelector<HTMLElement>(".tray-label");
  if (said) said.textContent = words;
  const button = item?.querySelector("button");
  if (button) button.firstChild!.textContent = "Say it anew";
}
