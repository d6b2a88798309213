// The people of a case on screen: a short form for each, shut but for its name until it is wanted. What is done about it is in
// ../../work/persons.ts.
import { get, make, say } from "../../dom";
import { language } from "../../format";
import { type Person, PersonRole } from "../../gen/alcove/referral/v1/people_pb";
import type { Standing } from "../../work/kept";
import { chaptersOfCall } from "../chapters";
import { FIELDS, type FieldOf, fieldsOf, KNOWN, LANGUAGES, readable, type Value, WAYS } from "./fields";

export interface Written {
  person: Person;
  other: Person | undefined;
  standing: Standing;
  /** The number that the caller rang from; empty if it isn't known. */
  rangFrom: string;
}

const ROLES: Record<PersonRole, string> = {
  [PersonRole.UNSPECIFIED]: "Person",
  [PersonRole.VICTIM]: "Victim",
  [PersonRole.SUSPECT]: "Suspect",
  [PersonRole.CHILD]: "Child",
  [PersonRole.OTHER]: "Other",
};
const ORDER = [PersonRole.VICTIM, PersonRole.SUSPECT, PersonRole.CHILD, PersonRole.OTHER];

/** Names of persons on the page, which say nothing of them. */
const names = new Map<string, string>();
const id = (key: string, field = "") => `${names.get(key) ?? names.set(key, `p-${names.size}`).get(key)!}${field && `-${field.replace(".", "-")}`}`;
const card = (key: string) => document.getElementById(id(key));

export const personKey = (within: Element): string => within.closest<HTMLElement>(".person")?.dataset.person ?? "";
export const roleOf = (within: Element): PersonRole => Number(within.closest<HTMLElement>(".person")?.dataset.role ?? 0);
export const drawnPersons = (): string[] => [...get("persons").querySelectorAll<HTMLElement>(".person")].map((one) => one.dataset.person!);
export const personTitle = ({ givenName, familyName, role, relationship }: Person): string => [givenName, familyName].filter(Boolean).join(" ") || relationship || (role === PersonRole.VICTIM ? "Who rang" : "No name yet");

/** In whose form something is typed that isn't saved. */
export function editedPerson(): string | undefined {
  const field = document.activeElement;
  const isText = field instanceof HTMLTextAreaElement || (field instanceof HTMLInputElement && field.type !== "checkbox");
  return isText && field.closest(".person") && field.value !== field.defaultValue ? personKey(field) : undefined;
}

export function clearPersons(): void {
  names.clear();
  get("persons").replaceChildren();
}

export function removePerson(key: string): void {
  const held = card(key)?.contains(document.activeElement);
  card(key)?.remove();
  if (held) get("add-suspect").focus();
}

/** Opens a person's form, and goes to the field. */
export function goToPerson(key: string, field = ""): void {
  const one = card(key);
  if (!one) return;
  openPerson(key, true);
  const wanted = (field && document.getElementById(id(key, field))) || one.querySelector<HTMLElement>("input, select, textarea");
  wanted?.focus({ preventScroll: true });
  wanted?.closest(".p-field")?.scrollIntoView({ block: "center" });
}

export function openPerson(key: string, open?: boolean): void {
  const button = card(key)?.querySelector<HTMLElement>(".p-head");
  if (!button) return;
  const is = open ?? button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", String(is));
  get(id(key, "form")).hidden = !is;
}

export function renderPerson(key: string, { person, other, standing, rangFrom }: Written): void {
  const one = card(key) ?? place(key, draw(key, person));
  one.dataset.standing = standing;
  say(id(key, "title"), personTitle(person));
  say(id(key, "state"), { trying: "Not saved, trying again", refused: "Not saved", waiting: "Saving…", saved: "Saved", clash: "Changed by two", none: "" }[standing]);
  for (const field of fieldsOf(person.role)) fill(key, field, person);
  if (person.role === PersonRole.VICTIM) say(id(key, "from"), rangFrom && person.phone === rangFrom ? "From the call" : "");
  clash(key, person, other, standing);
}

/** What is wrong with what was typed; of no field: at the foot. */
export function personTrouble(key: string, field: string, words: string): void {
  for (const one of card(key)?.querySelectorAll<HTMLElement>("[aria-invalid]") ?? []) {
    one.removeAttribute("aria-invalid");
    say(`${one.id}-fault`, "");
  }
  const at = field && document.getElementById(id(key, field));
  if (card(key)) say(id(key, "trouble"), at ? "" : words);
  if (!at || !words) return;
  at.setAttribute("aria-invalid", "true");
  say(`${at.id}-fault`, words);
}

function place(key: string, one: HTMLElement): HTMLElement {
  const list = get("persons");
  const rank = (of: HTMLElement) => ORDER.indexOf(Number(of.dataset.role));
  const next = [...list.querySelectorAll<HTMLElement>(".person")].find((other) => rank(other) > rank(one));
  list.insertBefore(one, next ?? null);
  return get(id(key));
}

function draw(key: string, { role }: Person): HTMLElement {
  const one = make("section", "", { class: "person", id: id(key), "data-person": key, "data-role": String(role), "aria-labelledby": id(key, "title") });
  const h = make("h3", "", { class: "p-title" });
  const head = make("button", "", { type: "button", class: "p-head", "aria-expanded": "false", "aria-controls": id(key, "form") });
  head.append(make("span", ROLES[role], { class: "p-role" }), make("span", "", { id: id(key, "title"), class: "p-name" }), make("span", "", { id: id(key, "state"), class: "q-state" }));
  h.append(head);
  const form = make("div", "", { class: "p-form", id: id(key, "form") });
  form.hidden = true;
  form.append(...fieldsOf(role).map((field) => control(key, role, field)), make("div", "", { class: "clash", id: id(key, "clash") }), make("p", "", { class: "trouble", id: id(key, "trouble"), role: "alert" }));
  if (role !== PersonRole.VICTIM) {
    const row = make("div", "", { class: "row p-remove" });
    row.append(make("label", "Not part of it, because", { class: "govuk-label", for: id(key, "why") }), make("input", "", { class: "govuk-input", id: id(key, "why"), maxlength: "200", autocomplete: "off", "data-why": "" }), make("button", "Take out", { type: "button", class: "govuk-button govuk-button--secondary", "data-remove": "" }));
    form.append(row);
  }
  one.append(h, form);
  return one;
}

function control(key: string, role: PersonRole, field: FieldOf): HTMLElement {
  const box = make("div", "", { class: "p-field", "data-kind": field.kind });
  const name = id(key, field.key);
  const about = { id: name, "data-field": field.key, autocomplete: "off", "aria-describedby": `${name}-fault` };
  const label = make("label", field.label, { class: "govuk-label", for: name });
  const fault = make("p", "", { class: "trouble", id: `${name}-fault` });
  if (field.kind === "ways" || field.kind === "chapters") {
    box.append(make("p", field.label, { class: "govuk-label", id: `${name}-label` }), make("div", "", { ...about, class: "p-ticks", role: "group", tabindex: "-1", "aria-labelledby": `${name}-label` }));
  } else if (field.kind === "tick") {
    const tick = make("label", "", { class: "p-tick" });
    tick.append(make("input", "", { ...about, type: "checkbox" }), make("span", field.label));
    box.append(tick);
  } else if (field.kind === "known" || field.key === "language") {
    const select = make("select", "", { ...about, class: "govuk-select" });
    const options = field.kind === "known" ? KNOWN.map(([value, words]) => [String(value), words]) : LANGUAGES.map((tag) => [tag === "en" ? "" : tag, language(tag)]);
    select.append(...options.map(([value, words]) => make("option", words, { value: value! })));
    box.append(label, select);
  } else if (field.kind === "area") box.append(label, make("textarea", "", { ...about, class: "govuk-textarea", rows: "2", maxlength: String(field.max) }));
  else box.append(label, make("input", "", { ...about, class: "govuk-input", type: field.kind === "date" ? "date" : "text", maxlength: String(field.max) }));
  if (field.key === "phone" && role === PersonRole.VICTIM) label.append(" ", make("span", "", { class: "p-from", id: id(key, "from") }));
  box.append(fault);
  return box;
}

/** Never under the fingers of who is typing in it. */
function fill(key: string, field: FieldOf, person: Person): void {
  const one = get<HTMLInputElement>(id(key, field.key));
  const value = field.get(person);
  if (field.kind === "ways" || field.kind === "chapters") return ticks(key, one, field, value as number[]);
  if (field.kind === "tick") return void (one.checked = Boolean(value));
  const text = String(value);
  if (field.key === "language" && text && ![...one.children].some((option) => (option as HTMLOptionElement).value === text)) one.append(make("option", language(text), { value: text }));
  const isTyped = !(one instanceof HTMLSelectElement);
  if (isTyped && document.activeElement === one && one.value !== one.defaultValue) return;
  if (one.value !== text) one.value = text;
  if (isTyped) one.defaultValue = text;
}

function ticks(key: string, box: HTMLElement, field: FieldOf, chosen: number[]): void {
  const all: [number, string][] = field.kind === "ways" ? WAYS : chaptersOfCall(chosen);
  const state = JSON.stringify(all);
  if (box.dataset.state !== state) {
    box.dataset.state = state;
    box.replaceChildren(
      ...all.map(([value, words]) => {
        const label = make("label", "", { class: "p-tick" });
        label.append(make("input", "", { type: "checkbox", "data-field": field.key, id: `${id(key, field.key)}-${value}`, value: String(value) }), make("span", words), make("span", "", { class: "p-nth" }));
        return label;
      }),
    );
    if (all.length === 0) box.append(make("p", "No chapter is marked yet.", { class: "hush" }));
  }
  for (const input of box.querySelectorAll<HTMLInputElement>("input")) {
    const nth = chosen.indexOf(Number(input.value));
    input.checked = nth >= 0;
    input.parentElement!.querySelector(".p-nth")!.textContent = field.kind === "ways" && nth >= 0 && chosen.length > 1 ? `${nth + 1}.` : "";
  }
  box.dataset.chosen = JSON.stringify(chosen);
}

/** What a field says now, as it is on the screen. */
export function valueOf(target: HTMLElement): { field: string; value: Value } {
  const one = target as HTMLInputElement;
  const field = one.dataset.field ?? "";
  const box = one.closest<HTMLElement>(".p-ticks");
  if (box) {
    const chosen = (JSON.parse(box.dataset.chosen ?? "[]") as number[]).filter((other) => other !== Number(one.value));
    return { field, value: one.checked ? [...chosen, Number(one.value)] : chosen };
  }
  return { field, value: one.type === "checkbox" ? one.checked : one.value.trim() };
}

function clash(key: string, mine: Person, other: Person | undefined, standing: Standing): void {
  const box = get(id(key, "clash"));
  const differs = other ? FIELDS.filter((field) => readable(field, mine) !== readable(field, other)) : [];
  const state = standing === "clash" ? JSON.stringify(differs.map((field) => [readable(field, mine), readable(field, other!)])) : "";
  if (box.dataset.state === state) return;
  box.dataset.state = state;
  if (state === "") return box.replaceChildren();
  openPerson(key, true);
  box.replaceChildren(make("p", `${other?.savedBy || "Somebody else"} has changed this person meanwhile.`, { class: "clash-words", role: "alert" }));
  if (!other) return;
  const list = make("dl", "", { class: "clash-both" });
  for (const field of differs) list.append(make("dt", field.label), make("dd", `Theirs: ${readable(field, other) || "–"} · Yours: ${readable(field, mine) || "–"}`));
  const row = make("div", "", { class: "row" });
  row.append(...[["mine", "Keep yours"], ["theirs", "Take theirs"]].map(([what, words]) => make("button", words, { type: "button", class: "govuk-button govuk-button--secondary", "data-keep": what! })));
  box.append(list, row);
}
