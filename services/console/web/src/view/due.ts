// What is due, the loudest first: what nobody could be sent, what is too late, what soon will be. What is heard of it is in ../due.ts.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { get, make, say } from "../dom";
import { incidentOf, moment, national } from "../format";
import { ClockState, type Due } from "../gen/alcove/referral/v1/help_pb";
import { timeLeft } from "./work/left";

/** Somebody has to ring them; then what is late; then what is near. */
const loudness = ({ what }: Due) => (what.case === "failedDelivery" ? 0 : what.case === "clock" && what.value.state === ClockState.MISSED ? 1 : 2);
const since = ({ what }: Due) => Number((what.case === "failedDelivery" ? what.value.at : what.case === "clock" ? what.value.dueAt : undefined)?.seconds ?? 0n);

export const loudestFirst = (all: Due[]): Due[] => [...all].sort((a, b) => loudness(a) - loudness(b) || since(a) - since(b));

export function clearDue(): void {
  renderDue([]);
  say("due-trouble", "");
}

export function renderDue(all: Due[]): void {
  get("due-pane").hidden = all.length === 0;
  get("due-pane").dataset.loud = String(all.some((one) => loudness(one) < 2));
  say("due-count", all.length === 0 ? "" : String(all.length));
  get("due-rows").replaceChildren(...loudestFirst(all).map(row));
}

function row(due: Due): HTMLElement {
  const { what, incident } = due;
  if (what.case === "failedDelivery") {
    const { title, partnerName, phone, problem, at } = what.value;
    const li = make("li", "", { "data-testid": "due", "data-kind": "failed", "data-call": due.callId });
    const ring = make("p", "Ring ", { class: "due-ring" });
    ring.append(make("strong", partnerName), phone ? ": " : "");
    if (phone) ring.append(make("a", national(phone), { class: "govuk-link figures", href: `tel:${phone}` }));
    li.append(make("strong", `Not delivered: ${title}`, { class: "due-what" }), make("span", incidentOf(incident), { class: "hush figures" }), ring);
    li.append(make("p", [problem, at ? moment(timestampDate(at)) : ""].filter(Boolean).join(", "), { class: "hush under" }));
    return li;
  }
  const clock = what.case === "clock" ? what.value : undefined;
  const missed = clock?.state === ClockState.MISSED;
  const li = make("li", "", { "data-testid": "due", "data-kind": missed ? "missed" : "near", "data-call": due.callId });
  const at = clock?.dueAt && timestampDate(clock.dueAt);
  li.append(make("strong", clock?.title ?? "", { class: "due-what" }), make("span", incidentOf(incident), { class: "hush figures" }));
  const left = make("p", "", { class: "due-left" });
  if (at) left.append(make("strong", timeLeft(at), { "data-due": String(at.getTime()), "data-short": "yes" }), `, ${missed ? "was due" : "until"} ${moment(at)}`);
  li.append(left);
  return li;
}
