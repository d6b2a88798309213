// A case as the services tell of it, for the tests and the pictures of the work panel.
import { create } from "@bufbuild/protobuf";
import { RiskGrade } from "../src/gen/alcove/intake/v1/service_pb";
import { Route } from "../src/gen/alcove/referral/v1/help_pb";
import { DisclosureScheduleSchema, Handling } from "../src/gen/alcove/referral/v1/package_pb";
import { Certainty, type Match, MatchSchema, QuestionSetSchema } from "../src/gen/alcove/referral/v1/risk_pb";
import { ItemState } from "../src/gen/alcove/referral/v1/service_pb";
import { ago } from "./states";

const choices = [
  { key: "yes", text: "Yes", ticks: 1 },
  { key: "no", text: "No" },
  { key: "dont-know", text: "Don’t know" },
  { key: "not-asked", text: "Not asked" },
];
const often = [{ key: "often", text: "Often", ticks: 2 }, { key: "once", text: "Once", ticks: 1 }, ...choices.slice(1)];
const question = (key: string, section: string, text: string, bold = false, more: object = {}) => ({ key, section, text, bold, choices, ...more });

export const set = () =>
  create(QuestionSetSchema, {
    id: "dash-demo",
    version: "1",
    title: "Demonstration set, shaped as DASH",
    questions: [
      question("injured", "Now", "Has what happened today injured you?", true, { help: "Ask where, and whether it was seen to. Keep pictures." }),
      question("afraid", "Now", "Are you afraid of them?", true, { help: "Of what, and for whom?" }),
      question("alone", "Now", "Do you feel cut off from family or friends?"),
      question("separated", "Now", "Have you tried to separate within the last year?", true),
      question("children", "Children", "Are there children in the house?"),
      question("child-hurt", "Children", "Have they ever hurt a child, or said they would?", true),
      question("worse", "What was before", "Does it happen more often, or is it getting worse?", true, { choices: often }),
      question("choked", "What was before", "Have they ever tried to choke or strangle you?", true, { help: "Hands, arm, anything round the neck. If today: ambulance." }),
      question("weapons", "What was before", "Have they used a weapon, or a thing as one?", true),
      question("money", "What was before", "Do you depend on them for money?"),
      question("police", "What was before", "Have they been in trouble with the police before?"),
    ],
  });

export const matches = (): Match[] => [
  create(MatchSchema, { earlierCallId: "e1", incident: "2026-08-02/0871", at: ago(10_000_000), certainty: Certainty.NEARLY_CERTAIN, because: ["name and date of birth of the victim", "phone number"], grade: RiskGrade.MEDIUM }),
  create(MatchSchema, { earlierCallId: "e2", incident: "2026-03-19/1402", at: ago(21_000_000), certainty: Certainty.POSSIBLE, because: ["address"], grade: RiskGrade.STANDARD }),
];

export const kinds = () => [
  { key: "marac", title: "MARAC", lawfulBasis: "Substantial public interest: safeguarding" },
  { key: "idva", title: "Independent domestic violence adviser", consentRequired: true, lawfulBasis: "Consent" },
  { key: "clares-law-ask", title: "Clare’s Law: right to ask", consentRequired: true, lawfulBasis: "The caller’s application", clockTitle: "Decision within 28 days" },
  { key: "encompass", title: "Operation Encompass", aboutChild: true, lawfulBasis: "Safeguarding of children", clockTitle: "Before the next school day" },
];
export const partners = () => [
  { partnerId: "wmp-idva", name: "Birmingham and Solihull Women’s Aid", inArea: true, route: Route.EMAIL, phone: "+441210000001" },
  { partnerId: "wmp-refuge", name: "Sandwell refuge line", inArea: false, route: Route.NONE, phone: "+441210000002" },
];
export const idvaFields = () => [
  { key: "victim.name", label: "Name", required: true },
  { key: "victim.phone", label: "Phone", required: true },
  { key: "risk.grade", label: "Risk", required: false },
];
/** As the shipped checklist is, in the call. */
export const checklist = () => {
  const item = (key: string, title: string, required: boolean, state: ItemState, evidence = "", answeredByNote = false) => ({ key, title, required, state, evidence, answeredByNote });
  const { MISSING, PRESENT } = ItemState;
  return [
    item("emergency-call-reference", "Emergency call reference", true, PRESENT, "2026-11-26/1123"),
    item("consent", "Consent: what was agreed to and what was refused", true, PRESENT, "video, recording, pictures agreed to"),
    item("initial-account", "Initial account, recorded and sealed", true, MISSING),
    item("photographs", "Photographs of injuries and scene", true, MISSING, "", true),
    item("later-photographs", "Photographs again after 24 to 72 hours, when bruises show", false, MISSING, "", true),
    item("children-and-neighbours", "Children and neighbours: who saw or heard", true, MISSING),
    item("officer-statement", "Officer’s statement", true, MISSING),
    item("previous-incidents", "Previous incidents", true, MISSING),
    item("risk-checklist", "Risk checklist, with grade and actions", true, MISSING),
    item("medical-consent", "Consent to medical records", false, MISSING, "", true),
    item("referrals", "Referrals made", true, MISSING),
    item("bail-and-civil-orders", "Bail conditions and civil orders considered", true, MISSING, "", true),
    item("exhibit-list", "Exhibit list", true, PRESENT, "ALC/7F3K9Q2M/1"),
    item("disclosure-schedule", "Disclosure schedule", true, MISSING),
  ];
};
export const draft = `WITNESS STATEMENT
Statement of: PC Ada Okafor
Incident: 2026-11-26/1123
Occupation: police officer

I am PC Ada Okafor. At 10:41 on 26 November 2026 I spoke by video with Samira Haddad, who had rung the police about the incident above. The call ended at 10:58 on 26 November 2026. It was recorded.

I marked these parts of the call as it went on, with these notes:
10:43:10 (account): [...]
10:49:31 (injuries): left forearm, bruise

“Are you afraid of them?” Yes: “He said he would come back”
I assessed the risk as standard.

This statement (consisting of [...] pages each signed by me) is true to the best of my knowledge and belief and I make it knowing that, if it is tendered in evidence, I shall be liable to prosecution if I have wilfully stated in it anything which I know to be false, or do not believe to be true.

Signed: [...]    Dated: [...]
`;
export const schedule = () =>
  create(DisclosureScheduleSchema, {
    entries: [
      { key: "recording", description: "Recording of the call, exhibit ALC/7F3K9Q2M/1", at: ago(900), handling: Handling.EVIDENCE, isNew: true, seen: "1" },
      { key: "still/still-1", description: "Picture 1", at: ago(700), handling: Handling.EVIDENCE, isNew: true, seen: "2" },
      { key: "chat", description: "Chat of the call", at: ago(300), handling: Handling.UNUSED, isNew: true, seen: "3" },
      { key: "people", description: "People of the case", at: ago(300), handling: Handling.SENSITIVE, reason: "Safe contact of the victim", isNew: true, seen: "4" },
    ],
  });
