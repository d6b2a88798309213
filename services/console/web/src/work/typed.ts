// What is typed of the people of a case, saved as each field is left.
import { get } from "../dom";
import { PersonRole } from "../gen/alcove/referral/v1/people_pb";
import { goToPerson, openPerson, personKey, personTrouble, removePerson, roleOf, valueOf } from "../view/work/persons";
import type { Persons } from "./persons";

const ADD: [string, PersonRole][] = [["add-suspect", PersonRole.SUSPECT], ["add-child", PersonRole.CHILD], ["add-other", PersonRole.OTHER]];

export function followPersons(current: () => Persons | undefined): void {
  for (const [id, role] of ADD) {
    get(id).addEventListener("click", () => {
      const key = current()?.add(role);
      if (key) goToPerson(key);
    });
  }
  const list = get("persons");
  const keep = (target: HTMLElement) => {
    const key = personKey(target);
    if (!key || target.dataset.field === undefined) return;
    const { field, value } = valueOf(target);
    current()?.set(key, roleOf(target), field, value);
  };
  // A date is one with each figure of its year, and only the last is meant.
  const isDate = (target: EventTarget | null): target is HTMLInputElement => target instanceof HTMLInputElement && target.type === "date";
  list.addEventListener("change", (event) => {
    if (!isDate(event.target)) keep(event.target as HTMLElement);
  });
  list.addEventListener("focusout", (event) => {
    if (isDate(event.target)) keep(event.target);
    const key = personKey(event.target as Element);
    if (key) queueMicrotask(() => current()?.kept.settle(key));
  });
  list.addEventListener("click", async (event) => {
    const button = (event.target as HTMLElement).closest<HTMLButtonElement>("button");
    const key = button && personKey(button);
    if (!button || !key) return;
    if (button.classList.contains("p-head")) {
      openPerson(key);
      // Chapters may have been marked meanwhile.
      return current()?.kept.settle(key);
    }
    if (button.dataset.keep === "mine") current()?.kept.keepMine(key);
    if (button.dataset.keep === "theirs") current()?.kept.takeTheirs(key);
    if (button.dataset.keep) return goToPerson(key);
    const why = button.parentElement?.querySelector<HTMLInputElement>("[data-why]");
    if (button.dataset.remove === undefined || !why) return;
    const known = current()?.idOf(key);
    // Nobody has heard of them yet.
    if (!known) return removePerson(key);
    if (why.value.trim() === "") {
      personTrouble(key, "", "Say why they are taken out.");
      return why.focus();
    }
    await current()?.remove(key, why.value.trim());
  });
}
