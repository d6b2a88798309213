// The exhibits of the force, one of them, and who looked at it. What is done about it is in ../evidence.ts.
import { timestampDate, type Timestamp } from "@bufbuild/protobuf/wkt";
import { get, make, say } from "../dom";
import { digest, moment } from "../format";
import { type Access, ExhibitState, type ExhibitSummary, type GetExhibitResponse } from "../gen/alcove/evidence/v1/service_pb";

const when = (at: Timestamp | undefined) => (at ? moment(timestampDate(at)) : "—");

/** The state as an officer needs it: the steps between are a few seconds. */
export function stateOf(state: ExhibitState): { words: string; colour: string } {
  if (state === ExhibitState.SEALED) return { words: "Sealed", colour: "green" };
  if (state === ExhibitState.DISPOSED) return { words: "Destroyed", colour: "grey" };
  return state === ExhibitState.OPEN ? { words: "Recording", colour: "blue" } : { words: "Sealing", colour: "yellow" };
}

function tag(state: ExhibitState): HTMLElement {
  const { words, colour } = stateOf(state);
  return make("strong", words, { class: `govuk-tag govuk-tag--${colour}` });
}

function row(...cells: (string | HTMLElement)[]): HTMLElement {
  const tr = make("tr", "", { class: "govuk-table__row" });
  for (const cell of cells) {
    const td = make("td", "", { class: "govuk-table__cell" });
    td.append(cell);
    tr.append(td);
  }
  return tr;
}

export function renderExhibits(exhibits: ExhibitSummary[], find: string, more: boolean): void {
  const found = exhibits.filter(({ reference }) => reference.toLowerCase().includes(find.trim().toLowerCase()));
  const rows = found.map(({ exhibitId, reference, openedAt, state }) => {
    const open = make("button", reference || "No reference yet", { type: "button", class: "link", "data-exhibit": exhibitId });
    return row(open, when(openedAt), tag(state));
  });
  get("exhibit-rows").replaceChildren(...rows);
  get("exhibits").hidden = rows.length === 0;
  get("exhibits-more").hidden = !more;
  const none = find && more ? "None of these has that in its reference. There are older ones." : find ? "None has that in its reference." : "There are none yet.";
  say("exhibits-said", rows.length === 0 ? none : "");
}

export function renderFound(exhibit: GetExhibitResponse, accesses: Access[]): void {
  for (const button of get("exhibit-rows").querySelectorAll<HTMLElement>("button")) button.setAttribute("aria-current", String(button.dataset.exhibit === exhibit.exhibitId));
  get("evidence").dataset.exhibit = exhibit.exhibitId;
  get("exhibit").hidden = false;
  get("exhibit-name").replaceChildren(exhibit.reference, " ", tag(exhibit.state));
  const { retention } = exhibit;
  const holds = retention?.holds.filter((one) => !one.releasedAt).length ?? 0;
  const facts: [string, string][] = [
    ["Opened", when(exhibit.openedAt)],
    ["Sealed", when(exhibit.sealedAt)],
    ["Seal (SHA-256)", digest(exhibit.sealSha256) || "—"],
    ...(exhibit.waitsFor ? [["It waits for", exhibit.waitsFor] as [string, string]] : []),
    ["Kept", `${retention?.dueAt ? `to be reviewed ${when(retention.dueAt)}` : "—"}${holds > 0 ? "; on legal hold" : ""}`],
  ];
  get("exhibit-facts").replaceChildren(
    ...facts.map(([term, about]) => {
      const line = make("div", "", { class: "govuk-summary-list__row" });
      line.append(make("dt", term, { class: "govuk-summary-list__key" }), make("dd", about, { class: `govuk-summary-list__value${term.startsWith("Seal (") ? " digest" : ""}` }));
      return line;
    }),
  );
  get("exhibit").dataset.call = exhibit.callId;
  get("case-open").hidden = exhibit.state === ExhibitState.OPEN || exhibit.callId === "";
  get("going-on").hidden = exhibit.state !== ExhibitState.OPEN || exhibit.parentExhibitId !== "";
  get("look").hidden = exhibit.state !== ExhibitState.SEALED;
  get("access-rows").replaceChildren(...accesses.map(({ at, who, what, reason }) => row(when(at), who, what, reason)));
  get("accesses").hidden = accesses.length === 0;
  say("accesses-said", accesses.length === 0 ? "Nobody so far." : "");
}

export function clearFound(): void {
  get("evidence").dataset.exhibit = "";
  get("exhibit").hidden = true;
  get<HTMLInputElement>("look-reason").value = "";
  for (const id of ["look-said", "look-trouble", "evidence-trouble"]) say(id, "");
  get("access-rows").replaceChildren();
}
