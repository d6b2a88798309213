// The people of a case, each written down once: saved field by field as they are left, and never over what another has written meanwhile.
import { clone, create, equals } from "@bufbuild/protobuf";
import { type Api, type Officer, reasonOf, requestId, surely, words } from "../api";
import { ChildDetailsSchema, type Person, PersonRole, PersonSchema, SafeContactSchema } from "../gen/alcove/referral/v1/people_pb";
import type { Case } from "../gen/alcove/referral/v1/service_pb";
import { placeOf } from "../place";
import { ANSWER_WITHIN } from "../retry";
import { FIELDS, fieldNamed, type Value } from "../view/work/fields";
import { drawnPersons, editedPerson, personTrouble, removePerson, renderPerson } from "../view/work/persons";
import { Kept } from "./kept";
import type { Unsent } from "./unsent";

export class Persons {
  /** What a person who was added here is called on the page, by the id that the service gave them. */
  private readonly called = new Map<string, string>();
  /** The other way round, of all that the service knows of. */
  private readonly ids = new Map<string, string>();
  private added = 0;
  /** What they rang from, once it is known; until then, or if it isn't, their form begins empty. */
  private number = "";
  private asking = false;
  readonly kept: Kept<Person>;

  constructor(
    private readonly api: Api,
    private readonly officer: Officer,
    private readonly callId: string,
    unsent: Unsent,
    private readonly left: AbortSignal,
  ) {
    this.kept = new Kept<Person>(
      unsent,
      {
        begun: (key, person) => ({ ...person, personId: this.idOf(key) }),
        save: (key, person, id) => this.save(key, person, id),
        same: (a, b) => equals(PersonSchema, bare(a), bare(b)),
        editing: (key) => editedPerson() === key,
        merged,
        blank: ({ role }) => this.blank(role),
        changed: (key) => this.draw(key),
        refused: (key, error) => this.refused(key, error),
      },
      "person/",
    );
    // There is always one, and whoever rang is asked first.
    this.add(PersonRole.VICTIM);
  }

  /** They are on the screen: whoever rang has a number already, unless somebody has written them down. Each look is logged. */
  async show(): Promise<void> {
    if (this.asking || this.number || this.kept.shown("victim")) return;
    this.asking = true;
    try {
      this.number = (await this.api.referral.getCallerNumber(this.who(), { signal: this.left, timeoutMs: ANSWER_WITHIN })).number;
    } catch {
      // Nobody needs it to go on: the field is empty, and asked for again with the next look.
    }
    this.asking = false;
    if (!this.number || this.left.aborted) return;
    const known = this.kept.shown("victim");
    // Something was typed here while it was on its way.
    if (known?.phone === "" && known.version === 0n) this.kept.change("victim", { phone: this.number }, this.blank(PersonRole.VICTIM));
    if (!known) this.add(PersonRole.VICTIM);
  }

  private blank(role: PersonRole): Person {
    return blank(role, role === PersonRole.VICTIM ? this.number : "");
  }

  get victim(): Person | undefined {
    return this.kept.keys.map((key) => this.kept.shown(key)).find((one) => one?.role === PersonRole.VICTIM);
  }

  heard({ people }: Case): void {
    for (const one of people) this.ids.set(this.keyOf(one), one.personId);
    this.kept.heard(new Map(people.map((one) => [this.keyOf(one), one])));
  }

  /** A blank form; the person is there once something is written in it. */
  add(role: PersonRole): string {
    const key = role === PersonRole.VICTIM ? "victim" : `new-${++this.added}`;
    renderPerson(key, { person: this.blank(role), other: undefined, standing: "none", rangFrom: this.number });
    return key;
  }

  set(key: string, role: PersonRole, field: string, value: Value): void {
    const spec = FIELDS.find((one) => one.key === field);
    if (!spec) return;
    const now = this.kept.shown(key) ?? this.blank(role);
    const next = clone(PersonSchema, now);
    spec.set(next, value);
    // What was refused is tried again by whoever says it again.
    if (equals(PersonSchema, now, next) && this.kept.standing(key) !== "refused") return;
    personTrouble(key, "", "");
    this.kept.change(key, next, this.blank(role));
  }

  /** Takes out who is not part of it. Says whether it was done. */
  async remove(key: string, reason: string): Promise<boolean> {
    const personId = this.idOf(key);
    if (!personId) return true;
    const version = this.kept.shown(key)?.version ?? 0n;
    const request = { requestId: requestId(), ...this.who(), personId, version, reason };
    try {
      await surely(() => this.api.referral.removePerson(request));
      this.kept.forget(key);
      if (!this.left.aborted) this.draw(key);
      return true;
    } catch (error) {
      if (!this.left.aborted) personTrouble(key, "", REFUSED[reasonOf(error)] ?? words(error));
      return false;
    }
  }

  /** Whose form it is: this person's, or the first of that role, a new one if there is none. */
  keyFor(role: PersonRole, personId: string): string {
    const of = this.kept.keys.find((key) => (personId ? this.idOf(key) === personId : this.kept.shown(key)?.role === role));
    return of ?? this.add(role);
  }

  /** Empty while nothing of them was saved. */
  idOf(key: string): string {
    return this.ids.get(key) ?? "";
  }

  private keyOf(person: Person): string {
    if (person.role === PersonRole.VICTIM) return "victim";
    return this.called.get(person.personId) ?? person.personId;
  }

  private async save(key: string, person: Person, id: string): Promise<Person> {
    const request = { requestId: id, ...this.who(), person };
    const { personId, version } = await this.api.referral.savePerson(request, { timeoutMs: ANSWER_WITHIN });
    this.called.set(personId, key);
    this.ids.set(key, personId);
    if (!this.left.aborted) personTrouble(key, "", "");
    // It may have been in the way of another.
    this.kept.again();
    return { ...person, personId, version, savedBy: placeOf(this.officer).officerId };
  }

  private refused(key: string, error: unknown): void {
    const { field, why } = faultOf(error);
    if (!this.left.aborted) personTrouble(key, field, why);
  }

  private draw(key: string): void {
    if (this.left.aborted) return;
    const person = this.kept.shown(key);
    if (person) renderPerson(key, { person, other: this.kept.other(key), standing: this.kept.standing(key), rangFrom: this.number });
    else if (drawnPersons().includes(key)) removePerson(key);
  }

  private who() {
    return { ...placeOf(this.officer), callId: this.callId };
  }
}

function blank(role: PersonRole, phone: string): Person {
  return create(PersonSchema, { role, phone, ...(role === PersonRole.VICTIM && { safeContact: create(SafeContactSchema) }), ...(role === PersonRole.CHILD && { child: create(ChildDetailsSchema) }) });
}

/** Without what only says who wrote it. */
const bare = (person: Person): Person => ({ ...person, personId: "", version: 0n, savedBy: "", savedAt: undefined });

/** What I have changed on top of theirs, unless both have changed the same. */
function merged(base: Person, mine: Person, theirs: Person): Person | undefined {
  const all = clone(PersonSchema, theirs);
  for (const field of FIELDS) {
    const [was, my, their] = [base, mine, theirs].map((one) => JSON.stringify(field.get(one)));
    if (my === was) continue;
    if (their !== was && their !== my) return undefined;
    field.set(all, field.get(mine));
  }
  return all;
}

const REFUSED: Record<string, string> = {
  CHANGED_MEANWHILE: "Somebody has changed this person meanwhile. Look again, then take them out.",
  PERSON_IN_USE: "A referral about them was sent: they can’t be taken out.",
  REASON_REQUIRED: "Say why they are taken out.",
};

function faultOf(error: unknown): { field: string; why: string } {
  const { field = "", rule = "" } = fieldNamed(error);
  return { field, why: rule ? `Not saved: ${rule}.` : words(error) };
}
