// The buttons of the package part, and the ways from each item to where it is mended.
import { get, view } from "../dom";
import { Known, PersonRole } from "../gen/alcove/referral/v1/people_pb";
import { closeNote, goToNote, noteSaid, noteTrouble, noteTyped, openNote, takeWords } from "../view/work/note";
import { fold, goToPart, itemOf, placeOfItem, type Place, sayOf } from "../view/work/package";
import { select } from "../view/work/panel";
import { goToPerson } from "../view/work/persons";
import { goToDraft } from "../view/work/referral";
import { entryOf, saidOf } from "../view/work/schedule";
import { reasonShown, sealTrouble } from "../view/work/sealing";
import { goToBlank, putIntoBlank, strikeBlank } from "../view/work/statement";
import { toAgain } from "./again";
import { toGrade, toRisk } from "./keys";
import type { Work } from "./work";

type Current = () => Work | undefined;

export function followPackage(current: Current): void {
  followItems(current);
  followStatement(current);
  followSchedule(current);
  followSeal(current);
}

/** What was pressed last of each button: one that was left busy by another call's case is free again in this one's. */
const busyWith = new WeakMap<HTMLElement, object>();

/** While it is being done it isn't begun again. */
async function once(button: HTMLElement, act: () => Promise<unknown> | undefined): Promise<void> {
  if (button.getAttribute("aria-disabled")) return;
  const press = {};
  busyWith.set(button, press);
  button.setAttribute("aria-disabled", "true");
  await act();
  if (busyWith.get(button) === press) button.removeAttribute("aria-disabled");
}

function followItems(current: Current): void {
  const list = get("pack-items");
  list.addEventListener("click", (event) => {
    const button = (event.target as HTMLElement).closest<HTMLButtonElement>("button");
    const work = current();
    if (!button || !work) return;
    const key = itemOf(button);
    const item = work.pack.item(key);
    const place = item && placeOfItem(item, view() === "after", work.pack.lent);
    if (button.dataset.mend !== undefined && place) return toPlace(place[0], work);
    if (button.dataset.say !== undefined) return openNote(key);
    if (button.dataset.applies !== undefined) {
      takeWords(key, button.dataset.applies === "true", button.textContent);
      goToNote(key, "text");
    }
    if (button.dataset.leave !== undefined) {
      closeNote(key);
      work.pack.draw();
      sayOf(key)?.focus();
    }
  });
  list.addEventListener("input", (event) => noteTyped(itemOf(event.target as Element)));
  list.addEventListener("submit", (event) => {
    event.preventDefault();
    const key = itemOf(event.target as Element);
    const { applies, words } = noteSaid(key);
    if (applies === undefined) {
      noteTrouble(key, "Say whether it applies.");
      return goToNote(key, "applies");
    }
    if (words === "") {
      noteTrouble(key, applies ? "Say what was done or considered." : "Say why it doesn’t apply.");
      return goToNote(key, "text");
    }
    const button = (event.target as Element).querySelector<HTMLElement>("[type=submit]")!;
    void once(button, async () => {
      await current()?.pack.note(key, applies, words);
      // The form is shut when it was taken.
      if (!button.checkVisibility()) sayOf(key)?.focus();
    });
  });
}

/** One press to where an item is mended. */
function toPlace(place: Place, work: Work): void {
  switch (place) {
    case "statement":
    case "schedule":
      return unfold(place, work, true);
    case "risk":
      if (work.risk.allAsked) return toGrade();
      toRisk();
      // They may have gone on to something else by then.
      return work.risk.onceAsked(() => get("work").dataset.tab === "risk" && toRisk());
    case "history": {
      select("risk");
      return (get("matches").querySelector<HTMLElement>('[data-verdict="unspecified"] button') ?? get("matches-title")).focus();
    }
    case "people":
      return toPeople(work);
    case "help":
      select("help");
      return goToDraft();
    case "consents":
      select("call");
      return get("part-consents").focus();
    case "again":
      return toAgain();
    case "pictures":
      return get("still").focus();
  }
}

/** To the child, or whoever else, of whom it isn't said whether they saw or heard it. */
function toPeople({ persons }: Work): void {
  select("people");
  const open = persons.kept.keys.find((key) => {
    const one = persons.kept.shown(key);
    return one?.role === PersonRole.CHILD && (one.child?.sawOrHeard ?? Known.UNSPECIFIED) === Known.UNSPECIFIED;
  });
  if (open) goToPerson(open, "child.saw_or_heard");
  else get("add-child").focus();
}

function unfold(part: "statement" | "schedule", work: Work, go: boolean): void {
  if (!fold(part, go ? true : undefined)) return;
  work[part].show();
  if (go) goToPart(part);
}

function followStatement(current: Current): void {
  const on = (id: string, act: (work: Work) => unknown) =>
    get(id).addEventListener("click", () => {
      const work = current();
      if (work) act(work);
    });
  on("statement-head", (work) => unfold("statement", work, false));
  on("statement-draft", (work) => once(get("statement-draft"), () => work.statement.draft()));
  on("statement-save", (work) => once(get("statement-save"), () => work.statement.save(false)));
  on("statement-declare", (work) =>
    once(get("statement-declare"), async () => {
      if (!(await work.statement.save(true))) goToBlank();
    }),
  );
  on("blank-next", () => goToBlank(true));
  on("blank-put", () => (putIntoBlank(), goToBlank()));
  on("blank-strike", () => (strikeBlank(), goToBlank()));
  const area = get("statement-text");
  for (const event of ["input", "keyup", "click"]) area.addEventListener(event, () => current()?.statement.typed());
  get("statement-clash").addEventListener("click", (event) => {
    const act = (event.target as HTMLElement).closest<HTMLElement>("[data-version]")?.dataset.version;
    const statement = current()?.statement;
    if (!act || !statement) return;
    if (act === "mine") statement.keepMine();
    else if (act === "theirs") statement.takeTheirs();
    else statement.putBack();
    // The buttons of the choice are gone with it.
    area.focus();
  });
}

function followSchedule(current: Current): void {
  get("schedule-head").addEventListener("click", () => {
    const work = current();
    if (work) unfold("schedule", work, false);
  });
  get("schedule-entries").addEventListener("input", (event) => {
    const key = entryOf(event.target as Element);
    if (key) current()?.schedule.change(key, saidOf(key));
  });
  get("schedule-entries").addEventListener("click", ({ target }) => {
    const keep = (target as HTMLElement).dataset.keep;
    const key = entryOf(target as Element);
    if (keep === "mine") current()?.schedule.keepMine(key);
    if (keep === "theirs") current()?.schedule.takeTheirs(key);
  });
  get("schedule-form").addEventListener("submit", (event) => {
    event.preventDefault();
    void once(get("schedule-save"), () => current()?.schedule.save());
  });
}

function followSeal(current: Current): void {
  get("seal-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const field = get<HTMLInputElement>("seal-reason");
    const reason = field.value.trim();
    if (reasonShown() && reason === "") {
      sealTrouble("Say why it is sealed without them.");
      return field.focus();
    }
    void once(get("seal-go"), async () => {
      if (await current()?.pack.seal(reasonShown() ? reason : "")) field.value = "";
    });
  });
  get("seal-reason").addEventListener("input", () => sealTrouble(""));
  get("index-print").addEventListener("click", () =>
    once(get("index-print"), async () => {
      const pdf = await current()?.pack.index();
      if (!pdf) return;
      const link = document.createElement("a");
      [link.href, link.download] = [URL.createObjectURL(new Blob([pdf], { type: "application/pdf" })), "package-index.pdf"];
      link.click();
      URL.revokeObjectURL(link.href);
    }),
  );
}
