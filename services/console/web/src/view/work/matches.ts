// Earlier calls that may be of the same people: nothing counts before an officer has said so. What is done about it is in
// ../../work/risk.ts.
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { get, make } from "../../dom";
import { incidentOf, moment, riskTag } from "../../format";
import { Certainty, type Match, Verdict } from "../../gen/alcove/referral/v1/risk_pb";
import { RiskGrade } from "../../gen/alcove/intake/v1/service_pb";

const CERTAIN: Record<Certainty, string> = {
  [Certainty.UNSPECIFIED]: "",
  [Certainty.POSSIBLE]: "Possibly",
  [Certainty.PROBABLE]: "Probably",
  [Certainty.NEARLY_CERTAIN]: "Almost certainly",
};

export function renderMatches(matches: Match[]): void {
  const box = get("matches");
  const state = JSON.stringify(matches.map(({ earlierCallId, verdict, certainty, because }) => [earlierCallId, verdict, certainty, because]));
  if (box.dataset.state === state) return;
  box.dataset.state = state;
  const held = (document.activeElement as HTMLElement | null)?.closest<HTMLElement>("[data-match] button");
  const [call, same] = [held?.closest<HTMLElement>("[data-match]")?.dataset.match, held?.dataset.same];
  get("matches-part").hidden = matches.length === 0;
  box.replaceChildren(...matches.map(item));
  // The list was made anew under the officer's finger.
  if (call) box.querySelector<HTMLElement>(`[data-match="${call}"] [data-same="${same}"]`)?.focus();
}

function item(match: Match): HTMLElement {
  const li = make("li", "", { "data-match": match.earlierCallId, "data-verdict": Verdict[match.verdict].toLowerCase() });
  const about = make("p", "", { class: "match-about" });
  about.append(make("strong", `${CERTAIN[match.certainty]} the same people`), ` ${incidentOf(match.incident)}${match.at ? `, ${moment(timestampDate(match.at))}` : ""} `);
  if (match.grade !== RiskGrade.UNSPECIFIED) about.append(riskTag(match.grade, " then"));
  li.append(about, make("p", `The same: ${match.because.join(", ")}.`, { class: "hush" }));
  const row = make("div", "", { class: "row" });
  for (const [same, words, verdict] of [["true", "Same people", Verdict.SAME_PEOPLE], ["false", "Other people", Verdict.OTHER_PEOPLE]] as const) {
    const button = make("button", words, { type: "button", class: "q-choice", "data-same": same, "aria-pressed": String(match.verdict === verdict) });
    button.append(make("span", `: ${incidentOf(match.incident)}`, { class: "govuk-visually-hidden" }));
    row.append(button);
  }
  li.append(row);
  return li;
}
