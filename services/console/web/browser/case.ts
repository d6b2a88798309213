// The case of a call as the service keeps it, as far as the page sees it: versions, who was quicker, and what the answers come to.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { Code, type ServiceImpl } from "@connectrpc/connect";
import { RiskGrade } from "../src/gen/alcove/intake/v1/service_pb";
import { type Partner, PartnerSchema, type Referral, ReferralKindSchema, ReferralSchema, ReferralState, Route } from "../src/gen/alcove/referral/v1/help_pb";
import { type Person, PersonSchema } from "../src/gen/alcove/referral/v1/people_pb";
import { type Answer, AnswerSchema, AssessmentSchema, type Finding, FindingSchema, GradedBy, GradingSchema, QuestionSetSchema, Verdict } from "../src/gen/alcove/referral/v1/risk_pb";
import { type Case, CaseSchema, type ReferralService, WatchCaseResponseSchema } from "../src/gen/alcove/referral/v1/service_pb";
import { StandInPackage } from "./package";
import { refusal, Told } from "./told";

type Answers = Partial<ServiceImpl<typeof ReferralService>>;

const MEDIUM_FROM = 3;
const HIGH_FROM = 6;

export class StandInCase {
  readonly told = new Told<MessageInitShape<typeof WatchCaseResponseSchema>>();
  set = create(QuestionSetSchema, {});
  /** Another that can be asked by instead. */
  other = create(QuestionSetSchema, {});
  kinds: MessageInitShape<typeof ReferralKindSchema>[] = [];
  partners: MessageInitShape<typeof PartnerSchema>[] = [];
  /** Two answers that can't both be right. */
  contradicts: [string, string][] = [];
  now: Case = create(CaseSchema, { callId: "c", version: 1n, incident: "2026-11-26/1123" });
  readonly pack: StandInPackage;

  constructor(private readonly note: (method: string, request: object) => void) {
    this.pack = new StandInPackage(() => this.now, () => this.tell(), note);
    this.tell();
  }

  tell(): void {
    this.now.version += 1n;
    this.told.say({ case: structuredClone(this.now) });
  }

  begin(): void {
    this.now.assessment ??= create(AssessmentSchema, { assessmentId: "a1", setId: this.set.id });
    this.find();
  }

  /** As another officer's page would. */
  answered(question: string, choice: string, savedBy: string, more: { note?: string; words?: string } = {}): void {
    this.begin();
    this.keep(create(AnswerSchema, { question, choice, version: this.answer(question)?.version ?? 0n, ...more }), savedBy);
    this.tell();
  }

  answer(question: string): Answer | undefined {
    return this.now.assessment?.answers.find((one) => one.question === question);
  }

  private keep(answer: Answer, savedBy: string): void {
    const assessment = this.now.assessment!;
    const before = this.answer(answer.question);
    if ((before?.version ?? 0n) !== answer.version) throw refusal("CHANGED_MEANWHILE", "the answer has changed", Code.Aborted);
    const kept = create(AnswerSchema, { ...answer, version: answer.version + 1n, savedBy, savedAt: timestampNow() });
    assessment.answers = [...assessment.answers.filter((one) => one !== before), kept];
    assessment.version += 1n;
    this.find();
  }

  private find(): void {
    const assessment = this.now.assessment!;
    const yes = assessment.answers.filter(({ choice }) => choice === "yes").map(({ question }) => question);
    const reports = 1 + this.now.matches.filter(({ verdict }) => verdict === Verdict.SAME_PEOPLE).length;
    const byCount = yes.length >= HIGH_FROM ? RiskGrade.HIGH : yes.length >= MEDIUM_FROM ? RiskGrade.MEDIUM : RiskGrade.STANDARD;
    const because = [`${yes.length} of ${this.set.questions.length} yes`, ...(reports >= 3 ? ["third call in 12 months"] : [])];
    assessment.finding = create(FindingSchema, {
      ticks: yes.length,
      mediumFrom: MEDIUM_FROM,
      highFrom: HIGH_FROM,
      bold: this.set.questions.filter(({ key, bold }) => bold && yes.includes(key)).map(({ key }) => key),
      unanswered: this.set.questions.filter(({ key }) => !assessment.answers.some(({ question, choice }) => question === key && choice !== "not-asked")).map(({ key }) => key),
      reports,
      reportsFrom: 3,
      reportsMonths: 12,
      least: reports >= 3 ? RiskGrade.HIGH : byCount,
      because,
      contradictions: this.contradicts.length > 0 && this.contradicts.every(([key, choice]) => this.answer(key)?.choice === choice) ? [{ questions: this.contradicts.map(([key]) => key), text: "There are no children, and a child was hurt." }] : [],
    });
  }

  private get finding(): Finding {
    return this.now.assessment!.finding!;
  }

  /** As another officer's page would. */
  saved(person: Person, savedBy: string): Person {
    const before = this.now.people.find(({ personId }) => personId === person.personId);
    if ((before?.version ?? 0n) !== person.version) throw refusal("CHANGED_MEANWHILE", "the person has changed", Code.Aborted);
    const personId = person.personId || `person-${this.now.people.length + 1}`;
    const kept = create(PersonSchema, { ...person, personId, version: person.version + 1n, savedBy, savedAt: timestampNow() });
    this.now.people = [...this.now.people.filter((one) => one !== before), kept];
    for (const one of this.now.referrals) this.fill(one);
    this.tell();
    return kept;
  }

  referral(id: string): Referral {
    return this.now.referrals.find(({ referralId }) => referralId === id)!;
  }

  draft(what: MessageInitShape<typeof ReferralSchema>): Referral {
    const kind = this.kinds.find(({ key }) => key === what.kind);
    const one = create(ReferralSchema, { referralId: `r${this.now.referrals.length + 1}`, title: kind?.title ?? "", state: ReferralState.DRAFT, version: 1n, madeAt: timestampNow(), blockedBy: kind?.consentRequired ? ["CONSENT_MISSING"] : [], ...what });
    this.now.referrals = [...this.now.referrals, one];
    this.fill(one);
    return one;
  }

  /** What is written down of the people is in the draft at its next look. */
  private fill(one: Referral): void {
    if (one.state !== ReferralState.DRAFT) return;
    const victim = this.now.people.find(({ role }) => role === 1);
    const child = this.now.people.find(({ personId }) => personId === one.personId);
    const values: Record<string, string> = { "victim.name": [victim?.givenName, victim?.familyName].filter(Boolean).join(" "), "victim.phone": victim?.phone ?? "", "child.name": child?.givenName ?? "", "child.school": child?.child?.school ?? "", "risk.grade": this.now.assessment?.grading ? "High" : "" };
    for (const field of one.fields) field.value = values[field.key] || field.value;
    one.missing = one.fields.filter(({ required, value }) => required && !value).map(({ key }) => key);
    one.blockedBy = [...one.blockedBy.filter((why) => why !== "FIELDS_MISSING" && why !== "NO_PARTNER"), ...(one.missing.length > 0 ? ["FIELDS_MISSING"] : []), ...(one.partner ? [] : ["NO_PARTNER"])];
    one.version += 1n;
  }

  /** They have said yes. */
  agreed(kind: string): void {
    for (const one of this.now.referrals) if (one.kind === kind) one.blockedBy = one.blockedBy.filter((why) => why !== "CONSENT_MISSING");
    this.tell();
  }

  private change(id: string, by: Partial<Referral>): { referral: Referral } {
    const changed = create(ReferralSchema, { ...this.referral(id), ...by });
    this.now.referrals = this.now.referrals.map((one) => (one.referralId === id ? changed : one));
    this.tell();
    return { referral: changed };
  }

  private partner(id: string): Partner {
    return create(PartnerSchema, this.partners.find(({ partnerId }) => partnerId === id) as MessageInitShape<typeof PartnerSchema>);
  }

  answers(): Answers {
    return {
      ...this.pack.answers(),
      getAssessmentForm: (request) => {
        this.note("getAssessmentForm", request);
        if (request.setId === this.other.id && request.setId !== "") {
          [this.set, this.other] = [this.other, this.set];
          this.now.assessment = create(AssessmentSchema, { assessmentId: "a2", setId: this.set.id });
        }
        this.begin();
        this.tell();
        return { set: this.set, assessmentId: this.now.assessment!.assessmentId };
      },
      listQuestionSets: () => ({ sets: [this.set, this.other].filter(({ id }) => id !== "").map(({ id, version, title }) => ({ id, version, title })) }),
      saveAssessment: (request) => {
        this.note("saveAssessment", request);
        for (const answer of request.answers) this.keep(answer, request.officerId);
        this.tell();
        return { version: this.now.assessment!.version, finding: this.finding };
      },
      gradeRisk: (request) => {
        this.note("gradeRisk", request);
        if (request.grade < this.finding.least) throw refusal("BELOW_COUNT", "that is below the count");
        if (this.finding.contradictions.length > 0 && !request.reason) throw refusal("CONTRADICTION", "answers contradict each other");
        const by = request.grade > this.finding.least ? GradedBy.JUDGEMENT : GradedBy.COUNT;
        const grading = create(GradingSchema, { grade: request.grade, by, reason: request.reason, officerId: request.officerId, at: timestampNow(), version: request.version, fastTrackProposed: request.grade === RiskGrade.HIGH });
        this.now.assessment!.grading = grading;
        for (const one of this.now.referrals) this.fill(one);
        this.tell();
        return { grading };
      },
      judgeMatch: (request) => {
        this.note("judgeMatch", request);
        for (const one of this.now.matches) if (one.earlierCallId === request.earlierCallId) one.verdict = request.samePeople ? Verdict.SAME_PEOPLE : Verdict.OTHER_PEOPLE;
        this.find();
        this.tell();
        return { finding: this.finding };
      },
      savePerson: (request) => {
        this.note("savePerson", request);
        const { personId, version } = this.saved(request.person!, request.officerId);
        return { personId, version };
      },
      removePerson: (request) => {
        this.note("removePerson", request);
        this.now.people = this.now.people.filter(({ personId }) => personId !== request.personId);
        this.tell();
        return {};
      },
      listReferralKinds: () => ({ kinds: this.kinds }),
      searchPartners: () => ({ partners: this.partners }),
      makeReferral: (request) => {
        this.note("makeReferral", request);
        const one = this.now.referrals.find(({ kind, personId, state }) => kind === request.kind && personId === request.personId && state === ReferralState.DRAFT) ?? this.draft({ kind: request.kind, personId: request.personId });
        if (request.partnerId) one.partner = this.partner(request.partnerId);
        one.note = request.note;
        this.fill(one);
        this.tell();
        return { referral: one };
      },
      sendReferral: (request) => {
        this.note("sendReferral", request);
        const one = this.referral(request.referralId);
        if (one.version !== request.version) throw refusal("CHANGED_MEANWHILE", "it says something else by now", Code.Aborted);
        const why = one.blockedBy[0] ?? (one.partner?.route === Route.NONE && !request.byHand ? "NO_ROUTE" : "");
        if (why) throw refusal(why, "it can't be sent yet");
        return this.change(one.referralId, { state: ReferralState.SENT, sentAt: timestampNow(), sentBy: request.officerId, byHand: request.byHand });
      },
      withdrawReferral: (request) => (this.note("withdrawReferral", request), this.change(request.referralId, { state: ReferralState.WITHDRAWN, withdrawnWhy: request.reason })),
      acknowledgeReferral: (request) => (this.note("acknowledgeReferral", request), this.change(request.referralId, { state: ReferralState.ACKNOWLEDGED, acknowledgedAt: timestampNow(), acknowledgedBy: request.acknowledgedBy })),
      recordOutcome: (request) => (this.note("recordOutcome", request), this.change(request.referralId, { state: ReferralState.OUTCOME, outcomeAt: timestampNow(), outcome: request.outcome })),
    };
  }
}
