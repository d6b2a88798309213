// The risk of a call: its questions answered one by one, what the answers come to, and the grade that an officer gives.
import { create } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { type Api, type Officer, reasonOf, requestId, surely, words } from "../api";
import { RiskGrade } from "../gen/alcove/intake/v1/service_pb";
import { type Answer, AnswerSchema, type Assessment, type Finding, type Grading, type QuestionSet } from "../gen/alcove/referral/v1/risk_pb";
import type { Case } from "../gen/alcove/referral/v1/service_pb";
import { placeOf } from "../place";
import { ANSWER_WITHIN, pause, sleep } from "../retry";
import { gradeTrouble, renderGrade } from "../view/work/grade";
import { renderMatches } from "../view/work/matches";
import { editedQuestion, openWords, renderAnswer, renderQuestions, renderRisk, renderSets } from "../view/work/risk";
import { Kept } from "./kept";
import type { Unsent } from "./unsent";

/** What a question that nobody has come to is taken for. */
const NOT_ASKED = "not-asked";

export class Risk {
  private set: QuestionSet | undefined;
  private assessmentId = "";
  private version = 0n;
  private finding: Finding | undefined;
  private grading: Grading | undefined;
  private fetching = false;
  private wanted = false;
  private matches: Case["matches"] = [];
  readonly answers: Kept<Answer>;

  constructor(
    private readonly api: Api,
    private readonly officer: Officer,
    private readonly callId: string,
    unsent: Unsent,
    private readonly left: AbortSignal,
  ) {
    this.answers = new Kept<Answer>(
      unsent,
      {
        save: (key, item, id) => this.save(key, item, id),
        same: (a, b) => said(a) === said(b),
        editing: (key) => editedQuestion() === key,
        changed: (key) => this.draw(key),
        refused: (_, error) => gradeTrouble(words(error)),
      },
      "answer/",
    );
  }

  /** The questions are wanted on the screen: with them an assessment begins. */
  show(): void {
    this.wanted = true;
    if (!this.set) void this.fetch();
  }

  /** Only the grade is left to give. */
  get allAsked(): boolean {
    return this.finding?.unanswered.length === 0;
  }

  heard({ assessment, matches }: Case): void {
    this.matches = matches;
    if (assessment) this.assessed(assessment);
    renderMatches(matches);
    this.sum();
  }

  answer(question: string, choice: string): void {
    if (this.differs(question, this.answers.shown(question)?.choice !== choice)) this.change(question, { choice });
  }

  note(question: string, note: string): void {
    if (this.differs(question, (this.answers.shown(question)?.note ?? "") !== note)) this.change(question, { note });
  }

  words(question: string, theirs: string): void {
    if (this.differs(question, (this.answers.shown(question)?.words ?? "") !== theirs)) this.change(question, { words: theirs });
  }

  /** What was refused is tried again by whoever says it again. */
  private differs(question: string, is: boolean): boolean {
    return is || this.answers.standing(question) === "refused";
  }

  /** What the caller says is said now; `open`: and is written down next. */
  said(question: string, open: boolean): void {
    this.change(question, { saidAt: timestampNow() });
    if (open) openWords(question, "words");
  }

  /** The grade as it was chosen; says whether it was given. */
  async grade(grade: RiskGrade, reason: string): Promise<boolean> {
    const request = { requestId: requestId(), ...this.who(), assessmentId: this.assessmentId, version: this.version, grade, reason };
    try {
      const { grading } = await surely(() => this.api.referral.gradeRisk(request));
      // The field is another call's by now.
      if (this.left.aborted) return false;
      this.grading = grading;
      gradeTrouble("");
      this.sum();
      return true;
    } catch (error) {
      if (!this.left.aborted) gradeTrouble(REFUSED[reasonOf(error)] ?? words(error));
      return false;
    }
  }

  async judge(earlierCallId: string, samePeople: boolean): Promise<void> {
    const request = { requestId: requestId(), ...this.who(), earlierCallId, samePeople };
    try {
      const { finding } = await surely(() => this.api.referral.judgeMatch(request));
      if (this.left.aborted) return;
      if (finding) this.finding = finding;
      gradeTrouble("");
      this.sum();
    } catch (error) {
      if (!this.left.aborted) gradeTrouble(words(error));
    }
  }

  private change(question: string, patch: Partial<Answer>): void {
    this.answers.change(question, patch, create(AnswerSchema, { question, choice: NOT_ASKED }));
  }

  private async save(_: string, answer: Answer, id: string): Promise<Answer> {
    const request = { requestId: id, ...this.who(), assessmentId: this.assessmentId, answers: [answer] };
    const { version, finding } = await this.api.referral.saveAssessment(request, { timeoutMs: ANSWER_WITHIN });
    if (version >= this.version) {
      this.version = version;
      this.finding = finding ?? this.finding;
    }
    if (!this.left.aborted) this.sum();
    return { ...answer, version: answer.version + 1n, savedBy: placeOf(this.officer).officerId, savedAt: timestampNow() };
  }

  private assessed(assessment: Assessment): void {
    // Another has begun a further one: its questions are others.
    if (this.assessmentId !== assessment.assessmentId) {
      if (this.assessmentId) this.begin();
      this.assessmentId = assessment.assessmentId;
      this.set = undefined;
      if (this.wanted) void this.fetch();
    }
    this.answers.heard(new Map(assessment.answers.map((one) => [one.question, one])));
    if (assessment.version >= this.version) {
      this.version = assessment.version;
      this.finding = assessment.finding;
    }
    this.grading = assessment.grading;
  }

  /** Begins a further assessment with these questions; the one before is kept. */
  async ask(setId: string): Promise<void> {
    this.set = undefined;
    await this.fetch(setId);
  }

  private async fetch(setId = ""): Promise<void> {
    if (this.fetching) return;
    this.fetching = true;
    const request = { requestId: requestId(), ...this.who(), setId };
    for (let tries = 0; !this.set && !this.left.aborted; tries++) {
      try {
        const { set, assessmentId } = await this.api.referral.getAssessmentForm(request, { timeoutMs: ANSWER_WITHIN });
        if (this.left.aborted) return;
        if (this.assessmentId && this.assessmentId !== assessmentId) this.begin();
        this.assessmentId = assessmentId;
        this.set = set;
        renderQuestions(set);
        void this.sets(set?.id ?? "");
        for (const { key } of set?.questions ?? []) this.draw(key);
        this.sum();
        gradeTrouble("");
      } catch (error) {
        if (!this.left.aborted) gradeTrouble(`The questions can’t be had at the moment. ${words(error)}`);
        await sleep(pause(tries), this.left);
      }
    }
    this.fetching = false;
  }

  /** The answers of another assessment are others. */
  private begin(): void {
    this.answers.begin();
    this.version = 0n;
    this.finding = this.grading = undefined;
  }

  /** What else the force goes by. */
  private async sets(present: string): Promise<void> {
    try {
      const { sets } = await this.api.referral.listQuestionSets({ forceId: this.who().forceId }, { signal: this.left });
      if (!this.left.aborted) renderSets(sets, present);
    } catch {
      // There is a set to ask by; others are asked for with the next form.
    }
  }

  private draw(question: string): void {
    if (this.left.aborted || !this.set) return;
    renderAnswer(question, { mine: this.answers.shown(question), other: this.answers.other(question), standing: this.answers.standing(question), me: placeOf(this.officer).officerId });
  }

  private sum(): void {
    renderRisk(this.set, this.finding);
    renderGrade({ finding: this.finding, grading: this.grading, version: this.version, set: this.set, matches: this.matches });
  }

  private who() {
    return { ...placeOf(this.officer), callId: this.callId };
  }
}

/** All that two answers could differ in. */
function said({ choice, note, words: theirs, saidAt }: Answer): string {
  return JSON.stringify([choice, note, theirs, String(saidAt?.seconds ?? ""), saidAt?.nanos ?? 0]);
}

const REFUSED: Record<string, string> = {
  CHANGED_MEANWHILE: "An answer was saved meanwhile. Look at what it comes to now, and give the grade again.",
  BELOW_COUNT: "It can’t be lower than what the answers and the earlier calls say.",
  CONTRADICTION: "Answers contradict each other. Correct them, or say in the reason why both are right.",
  MATCHES_OPEN: "Say first of each earlier call whether it is of the same people.",
  SERGEANT_REQUIRED: "A lower grade than the one before is for a sergeant to give.",
  REASON_REQUIRED: "This grade needs a reason.",
};
