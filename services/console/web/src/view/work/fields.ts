// What is written down of a person: which fields, of whom, in the order in which they are asked for. What referrals need comes first.
import { create } from "@bufbuild/protobuf";
import { e164, national } from "../../format";
import { ChildDetailsSchema, ContactWay, Known, type Person, PersonRole, SafeContactSchema } from "../../gen/alcove/referral/v1/people_pb";
import { detailsOf } from "../../work/refusal";

export type Value = string | boolean | number | number[];
type Kind = "text" | "date" | "area" | "tick" | "known" | "ways" | "chapters";

export interface FieldOf {
  /** As in the service's own words for it: "given_name", "child.school". */
  key: string;
  label: string;
  kind: Kind;
  max: number;
  of: PersonRole[];
  get(person: Person): Value;
  set(person: Person, value: Value): void;
}

const { VICTIM, SUSPECT, CHILD, OTHER } = PersonRole;
const ALL = [VICTIM, SUSPECT, CHILD, OTHER];
const ADULTS = [VICTIM, SUSPECT, OTHER];

type Texts = "givenName" | "familyName" | "dateOfBirth" | "gender" | "language" | "address" | "postcode" | "phone" | "email" | "relationship" | "needs";
function plain(key: string, label: string, name: Texts, kind: Kind, max: number, of: PersonRole[], clean: (typed: string) => string = (typed) => typed): FieldOf {
  return { key, label, kind, max, of, get: (person) => person[name], set: (person, value) => void (person[name] = clean(String(value))) };
}

const safe = (person: Person) => (person.safeContact ??= create(SafeContactSchema));
const child = (person: Person) => (person.child ??= create(ChildDetailsSchema));

function known(key: string, label: string, name: "present" | "sawOrHeard" | "spokenTo" | "spokenToAlone"): FieldOf {
  return { key, label, kind: "known", max: 0, of: [CHILD], get: ({ child: of }) => of?.[name] ?? Known.UNSPECIFIED, set: (person, value) => void (child(person)[name] = Number(value)) };
}
function ofChild(key: string, label: string, name: "school" | "where" | "adultBeside" | "voice", kind: Kind, max: number): FieldOf {
  return { key, label, kind, max, of: [CHILD], get: ({ child: of }) => of?.[name] ?? "", set: (person, value) => void (child(person)[name] = String(value)) };
}
function ofSafe(key: string, label: string, name: "when" | "never", max: number): FieldOf {
  return { key, label, kind: "text", max, of: [VICTIM], get: ({ safeContact }) => safeContact?.[name] ?? "", set: (person, value) => void (safe(person)[name] = String(value)) };
}

export const FIELDS: FieldOf[] = [
  plain("given_name", "Given name", "givenName", "text", 100, ALL),
  plain("family_name", "Family name", "familyName", "text", 100, ALL),
  plain("date_of_birth", "Date of birth", "dateOfBirth", "date", 10, ALL),
  plain("relationship", "Who they are to the victim", "relationship", "text", 60, [SUSPECT, CHILD, OTHER]),
  ofChild("child.school", "School or nursery", "school", "text", 150),
  known("child.present", "In the house when it happened", "present"),
  ofChild("child.where", "Where", "where", "text", 100),
  known("child.saw_or_heard", "Saw or heard it", "sawOrHeard"),
  known("child.spoken_to", "An officer spoke with them", "spokenTo"),
  known("child.spoken_to_alone", "With nobody of the family beside them", "spokenToAlone"),
  ofChild("child.adult_beside", "Adult beside them, and as what", "adultBeside", "text", 100),
  ofChild("child.voice", "What the child said, in their words", "voice", "area", 2000),
  { key: "child.chapters", label: "Where in the recording", kind: "chapters", max: 0, of: [CHILD], get: ({ child: of }) => of?.chapters ?? [], set: (person, value) => void (child(person).chapters = value as number[]) },
  { key: "phone", label: "Phone", kind: "text", max: 30, of: ADULTS, get: ({ phone }) => national(phone), set: (person, value) => void (person.phone = e164(String(value))) },
  plain("postcode", "Postcode", "postcode", "text", 10, ALL, (typed) => typed.toUpperCase()),
  plain("gender", "Gender, as they say it", "gender", "text", 40, ALL),
  plain("address", "Address", "address", "area", 300, ALL),
  { key: "safe_contact.ways", label: "Safe to reach by, the best first", kind: "ways", max: 0, of: [VICTIM], get: ({ safeContact }) => safeContact?.ways ?? [], set: (person, value) => void (safe(person).ways = value as ContactWay[]) },
  ofSafe("safe_contact.when", "When, and through whom", "when", 200),
  { key: "safe_contact.message_may_be_left", label: "A message may be left", kind: "known", max: 0, of: [VICTIM], get: ({ safeContact }) => safeContact?.messageMayBeLeft ?? Known.UNSPECIFIED, set: (person, value) => void (safe(person).messageMayBeLeft = Number(value)) },
  ofSafe("safe_contact.never", "What must not happen", "never", 200),
  plain("language", "Language", "language", "text", 35, ALL),
  { key: "interpreter_needed", label: "Needs an interpreter", kind: "tick", max: 0, of: ALL, get: (person) => person.interpreterNeeded, set: (person, value) => void (person.interpreterNeeded = Boolean(value)) },
  plain("email", "E-mail", "email", "text", 100, ADULTS),
  plain("needs", "Needs: disability, pregnancy, status …", "needs", "area", 500, ALL),
];

export const fieldsOf = (role: PersonRole): FieldOf[] => FIELDS.filter((one) => one.of.includes(role));

export const KNOWN: [Known, string][] = [[Known.UNSPECIFIED, "Not asked"], [Known.YES, "Yes"], [Known.NO, "No"], [Known.UNKNOWN, "Not known"]];
export const WAYS: [ContactWay, string][] = [[ContactWay.PHONE, "Phone"], [ContactWay.SMS, "Text"], [ContactWay.EMAIL, "E-mail"], [ContactWay.POST, "Post"], [ContactWay.SOMEBODY_ELSE, "Somebody else"]];

export const LANGUAGES = ["en", "ar", "bn", "fa", "fr", "gu", "pa", "pl", "pt", "ro", "so", "ur"];

/** A value as it is read. */
export function readable(field: FieldOf, person: Person): string {
  const value = field.get(person);
  if (field.kind === "known") return KNOWN.find(([known]) => known === value)?.[1] ?? "";
  if (field.kind === "ways") return (value as number[]).map((way) => WAYS.find(([one]) => one === way)?.[1] ?? "").join(", ");
  if (field.kind === "chapters") return (value as number[]).map((number) => `chapter ${number}`).join(", ");
  if (field.kind === "tick") return value ? "Yes" : "No";
  return String(value);
}

/** Which field a refusal is about, as the page has it, and why. */
export function fieldNamed(error: unknown): { field: string; rule: string } {
  const { field = "", rule = "" } = detailsOf(error);
  const last = field.replace(/^(person|victim|suspect|child_details)\./, "");
  const found = FIELDS.find((one) => one.key === last) ?? FIELDS.find((one) => one.key.endsWith(`.${last}`));
  return { field: found?.key ?? "", rule: RULES[rule] ?? rule.replace(/[-_]/g, " ").toLowerCase() };
}

const RULES: Record<string, string> = {
  TOO_LONG: "it is too long",
  NO_SUCH_DATE: "there is no such date",
  BORN_IN_THE_FUTURE: "that is in the future",
  CHILD_AS_OLD_AS_PARENT: "a child can’t be as old as its parent",
};
