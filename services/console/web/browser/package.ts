// The package of a call as the service keeps it, as far as the page sees it: checklist, statement, schedule, seal.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { Code, type ServiceImpl } from "@connectrpc/connect";
import { type DisclosureSchedule, DisclosureScheduleSchema, Handling, SealedPackageSchema, SealingState, type Statement, StatementSchema } from "../src/gen/alcove/referral/v1/package_pb";
import { type Case, ChecklistItemSchema, ItemState, type ReferralService } from "../src/gen/alcove/referral/v1/service_pb";
import { refusal } from "./told";

type Answers = Partial<ServiceImpl<typeof ReferralService>>;

export class StandInPackage {
  /** What the record makes of a statement. */
  draft = "";
  incomplete = false;
  statements: Statement[] = [];
  schedule: DisclosureSchedule = create(DisclosureScheduleSchema, {});
  /** Empty: the control room gave none. */
  number = "";
  /** Intake is away. */
  away = false;
  /** What is saved of a statement or an item is answered when this is over. */
  held: Promise<void> | undefined;

  constructor(
    private readonly now: () => Case,
    private readonly tell: () => void,
    private readonly note: (method: string, request: object) => void,
  ) {}

  items(items: MessageInitShape<typeof ChecklistItemSchema>[]): void {
    const now = this.now();
    now.checklist = items.map((one) => create(ChecklistItemSchema, one));
    const required = now.checklist.filter((one) => one.required);
    const missing = required.filter(({ state }) => state === ItemState.MISSING).length;
    now.scorePercent = Math.floor((100 * (required.length - missing)) / Math.max(1, required.length));
    this.tell();
  }

  fill(key: string, state: ItemState, evidence: string): void {
    this.items(this.now().checklist.map((one) => (one.key === key ? { ...one, state, evidence } : one)));
  }

  /** As another officer's page would. */
  stated(text: string, officerId: string, declared = false): number {
    const version = this.statements.length + 1;
    this.statements = [create(StatementSchema, { version, officerId, at: timestampNow(), text, declared }), ...this.statements];
    this.fill("officer-statement", declared ? ItemState.PRESENT : ItemState.MISSING, declared ? `Version ${version}, ${officerId}` : "");
    return version;
  }

  answers(): Answers {
    return {
      notePackageItem: async (request) => {
        this.note("notePackageItem", request);
        await this.held;
        this.fill(request.key, request.applies ? ItemState.PRESENT : ItemState.NOT_APPLICABLE, request.text);
        return {};
      },
      draftStatement: (request) => (this.note("draftStatement", request), { text: this.draft, incomplete: this.incomplete }),
      saveStatement: async (request) => {
        this.note("saveStatement", request);
        await this.held;
        if (request.version !== this.statements.length) throw refusal("CHANGED_MEANWHILE", "another version was saved", Code.Aborted);
        if (request.declared && request.text.includes("[...]")) throw refusal("INVALID_STATEMENT", "something is left", Code.InvalidArgument);
        return { version: this.stated(request.text, request.officerId, request.declared) };
      },
      listStatements: () => ({ statements: this.statements }),
      getDisclosureSchedule: () => ({ schedule: this.schedule }),
      saveDisclosureSchedule: (request) => {
        this.note("saveDisclosureSchedule", request);
        const unseen = this.schedule.entries.find(({ key, seen }) => !request.entries.some((one) => one.key === key && one.seen === seen));
        if (request.version !== this.schedule.version || unseen) throw refusal("CHANGED_MEANWHILE", "an entry came", Code.Aborted, { key: unseen?.key ?? "" });
        const entries = this.schedule.entries.map((entry) => {
          const { handling, reason } = request.entries.find(({ key }) => key === entry.key)!;
          if (handling !== entry.handling && handling !== Handling.EVIDENCE && reason === "") throw refusal("REASON_REQUIRED", "why", Code.InvalidArgument, { key: entry.key });
          return { ...entry, handling, reason, isNew: false };
        });
        this.schedule = create(DisclosureScheduleSchema, { version: request.version + 1, officerId: request.officerId, at: timestampNow(), current: true, entries });
        this.fill("disclosure-schedule", ItemState.PRESENT, `Version ${this.schedule.version}`);
        return { schedule: this.schedule };
      },
      sealPackage: (request) => {
        this.note("sealPackage", request);
        const now = this.now();
        const sealed = create(SealedPackageSchema, { number: now.sealed.length + 1, state: SealingState.WAITING, officerId: request.officerId, askedAt: timestampNow(), scorePercent: now.scorePercent });
        now.sealed = [sealed, ...now.sealed];
        this.tell();
        return { sealed };
      },
      getPackageIndex: (request) => (this.note("getPackageIndex", request), { pdf: new TextEncoder().encode("%PDF-1.7") }),
      getCallerNumber: (request) => {
        this.note("getCallerNumber", request);
        if (this.away) throw refusal("INTAKE_UNAVAILABLE", "intake can't be reached", Code.Unavailable);
        return { number: this.number };
      },
    };
  }
}
