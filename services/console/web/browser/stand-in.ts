// The console and the services behind it, as far as the page sees them: the built page under its own content security policy, and the
// answers that a test wants. What the services really do is the journeys' to say.
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";
import { type MessageInitShape, create } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { EvidenceService, GetExhibitResponseSchema, ListAccessResponseSchema, ListExhibitsResponseSchema } from "../src/gen/alcove/evidence/v1/service_pb";
import { IntakeService } from "../src/gen/alcove/intake/v1/service_pb";
import { WatchDueResponseSchema } from "../src/gen/alcove/referral/v1/help_pb";
import { GetPackageResponseSchema, ReferralService } from "../src/gen/alcove/referral/v1/service_pb";
import { SessionSchema, SessionService, WatchSessionResponseSchema } from "../src/gen/alcove/session/v1/service_pb";
import { GetDeskFiguresResponseSchema, ListLoansResponseSchema, ListShiftsResponseSchema, TransferService, WatchDeskResponseSchema, WatchFiguresResponseSchema } from "../src/gen/alcove/transfer/v1/service_pb";
import { StandInCase } from "./case";
import { refusal, Told } from "./told";

const DIST = join(import.meta.dirname, "../dist");
const WORDS = join(import.meta.dirname, "../../../video-session/web/words/en.json");
const TYPES: Record<string, string> = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

export const OFFICER = { id: "pc-okafor", name: "PC Ada Okafor", force: "wmp", roles: ["desk_officer", "disclosure"] };
export const SERGEANT = { id: "sgt-price", name: "Sgt Carys Price", force: "wmp", roles: ["sergeant"] };
export const CALL = "0192f3a0-0000-7000-8000-000000000001";

export class StandIn {
  /** Every change that was asked for: the method's name and its request. */
  readonly asked: { method: string; request: Record<string, unknown> }[] = [];
  exhibit: MessageInitShape<typeof GetExhibitResponseSchema> = {};
  exhibits: MessageInitShape<typeof ListExhibitsResponseSchema> = {};
  accesses: MessageInitShape<typeof ListAccessResponseSchema> = {};
  /** What is asked of the desk about a call is refused. */
  refuses = false;
  /** Who signs in. */
  officer = OFFICER;
  /** Of any time that is asked for. */
  past: MessageInitShape<typeof GetDeskFiguresResponseSchema> = {};
  shifts: MessageInitShape<typeof ListShiftsResponseSchema> = {};
  loans: MessageInitShape<typeof ListLoansResponseSchema> = {};
  /** What a method is refused with: the contract's word. */
  readonly refused: Record<string, string> = {};
  /** And with what beside it. */
  readonly because: Record<string, Record<string, string>> = {};
  /** What these methods answer never comes back. */
  readonly unreachable = new Set<string>();
  package: MessageInitShape<typeof GetPackageResponseSchema> = {};
  onAsked: (method: string) => void = () => {};
  private known = true;
  private left = new AbortController();
  /** Forces that would not have the officer. */
  readonly shut = new Set<string>();
  private readonly desks = new Map<string, Told<MessageInitShape<typeof WatchDeskResponseSchema>>>();
  private readonly numbers = new Told<MessageInitShape<typeof WatchFiguresResponseSchema>>();
  private readonly dues = new Told<MessageInitShape<typeof WatchDueResponseSchema>>();
  readonly case = new StandInCase((method, request) => this.note(method, request, undefined));
  private readonly sessions = new Told<MessageInitShape<typeof WatchSessionResponseSchema>>();
  private readonly server = createServer((request, response) => this.answer(request, response));
  private readonly rpc = connectNodeAdapter({ routes: (router) => this.routes(router) });

  async start(): Promise<string> {
    await new Promise<void>((listening) => this.server.listen(0, "127.0.0.1", listening));
    return this.origin;
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }

  get signedIn(): boolean {
    return this.known;
  }

  /** A sign-in that is over takes its streams with it. */
  set signedIn(is: boolean) {
    this.known = is;
    if (is) return;
    this.left.abort();
    this.left = new AbortController();
    for (const told of this.desks.values()) told.forget();
    this.numbers.forget();
    this.dues.forget();
    this.case.told.forget();
    this.sessions.forget();
  }

  desk(now: MessageInitShape<typeof WatchDeskResponseSchema>, forceId = "wmp"): void {
    this.deskOf(forceId).say(now);
  }

  /** While nobody follows it: whoever comes next hears how it is now. */
  forget(forceId: string): void {
    this.deskOf(forceId).forget();
  }

  private deskOf(forceId: string) {
    const told = this.desks.get(forceId) ?? new Told<MessageInitShape<typeof WatchDeskResponseSchema>>();
    this.desks.set(forceId, told);
    return told;
  }

  private lets(forceId: string): void {
    if (this.shut.has(forceId)) throw refusal("NOT_YOUR_FORCE", "the force is not this officer's", Code.PermissionDenied);
  }

  figures(now: MessageInitShape<typeof WatchFiguresResponseSchema>): void {
    this.numbers.say(now);
  }

  due(now: MessageInitShape<typeof WatchDueResponseSchema>): void {
    this.dues.say(now);
  }

  session(now: MessageInitShape<typeof SessionSchema>): void {
    this.sessions.say({ session: create(SessionSchema, { callId: CALL, ...now }) });
  }

  chat(line: Exclude<MessageInitShape<typeof WatchSessionResponseSchema>["chat"], undefined>): void {
    this.sessions.say({ chat: line });
  }

  private async *follow<T>(told: Told<T>, gone: AbortSignal): AsyncGenerator<T> {
    const { signal } = this.left;
    yield* told.follow(AbortSignal.any([gone, signal]));
    if (signal.aborted) throw new ConnectError("this sign-in is over", Code.Unauthenticated);
  }

  private note<T>(method: string, request: object, answer: T): T {
    this.asked.push({ method, request: { ...request } });
    this.onAsked(method);
    if (this.unreachable.has(method)) throw new ConnectError("nobody is there", Code.Unavailable);
    const reason = this.refused[method];
    if (reason) throw refusal(reason, "it is refused", Code.FailedPrecondition, this.because[method]);
    return answer;
  }

  private async *chunks(method: string, request: object) {
    this.note(method, request, undefined);
    yield { chunk: new Uint8Array(1000) };
  }

  private routes(router: ConnectRouter): void {
    let stills = 0;
    let chapters = 0;
    let lines = 10;
    router.service(TransferService, {
      watchDesk: (request, { signal }) => {
        this.lets(request.forceId);
        return this.follow(this.deskOf(request.forceId), signal);
      },
      heartbeat: ({ forceId }) => (this.lets(forceId), {}),
      setPresence: (request) => this.note("setPresence", request, { presence: request.presence }),
      acceptOffer: (request) => {
        if (this.refuses) throw refusal("NOT_OFFERED_TO_YOU", "the call is not on offer to this officer");
        return this.note("acceptOffer", request, { callId: request.callId });
      },
      watchFigures: (_, { signal }) => this.follow(this.numbers, signal),
      getDeskFigures: (request) => this.note("getDeskFigures", request, this.past),
      takeCallback: (request) => this.note("takeCallback", request, {
        callId: CALL,
        number: "+447700900123",
        word: "blue heron",
        whoMayAnswer: "Her sister Nadia. To anybody else: a wrong number, looking for a garage",
        language: "ar",
        takenUntil: { ...timestampNow(), seconds: timestampNow().seconds + 900n },
      }),
      recordCallbackAttempt: (request) => this.note("recordCallbackAttempt", request, { callId: CALL }),
      scheduleCallback: (request) => this.note("scheduleCallback", request, { callbackId: "b9" }),
      cancelCallback: (request) => this.note("cancelCallback", request, {}),
      listShifts: () => this.shifts,
      setShift: (request) => this.note("setShift", request, {}),
      cancelShift: (request) => this.note("cancelShift", request, {}),
      listLoans: () => this.loans,
      offerLoan: (request) => this.note("offerLoan", request, {}),
      agreeLoan: (request) => this.note("agreeLoan", request, {}),
      endLoan: (request) => this.note("endLoan", request, {}),
      reassignCall: (request) => this.note("reassignCall", request, {}),
      returnToControlRoom: (request) => {
        if (this.refuses) throw new ConnectError("the call is over", Code.FailedPrecondition);
        return this.note("returnToControlRoom", request, {});
      },
      acknowledgeAlert: (request) => this.note("acknowledgeAlert", request, {}),
      declineOffer: (request) => this.note("declineOffer", request, {}),
    });
    router.service(SessionService, {
      watchSession: (_, { signal }) => this.follow(this.sessions, signal),
      joinSession: (request) => this.note("joinSession", request, {
        participantId: "p-officer",
        token: "t",
        whipUrl: `${this.origin}/media/whip`,
        whepUrl: `${this.origin}/media/whep`,
        eventsUrl: `${this.origin}/media/events`,
      }),
      issueInvitation: (request) => this.note("issueInvitation", request, { code: "K7QF-2M9X", pageUrl: "https://meet.example/", expiresAt: { ...timestampNow(), seconds: timestampNow().seconds + 600n } }),
      captureStill: (request) => this.note("captureStill", request, { number: ++stills, rtpTimestamp: request.rtpTimestamp }),
      markChapter: (request) => this.note("markChapter", request, { number: ++chapters, at: timestampNow() }),
      sendChat: (request) => this.note("sendChat", request, { number: ++lines, at: timestampNow() }),
      endSession: (request) => this.note("endSession", request, { reason: "OFFICER_ENDED" }),
      requestFastTrack: (request) => this.note("requestFastTrack", request, { fastTrackId: "f1", requestedAt: timestampNow() }),
      acknowledgeDuress: (request) => this.note("acknowledgeDuress", request, { acknowledgedAt: timestampNow() }),
    });
    router.service(IntakeService, {
      startFollowUp: (request) => this.note("startFollowUp", request, { callId: "f1" }),
      recordConsent: (request) => this.note("recordConsent", request, {}),
      withdrawConsent: (request) => this.note("withdrawConsent", request, { wasGiven: true }),
    });
    router.service(EvidenceService, {
      getExhibit: () => this.exhibit,
      listExhibits: () => this.exhibits,
      listAccess: () => this.accesses,
      readItem: (request) => this.chunks("readItem", request),
      export: (request) => this.chunks("export", request),
    });
    router.service(ReferralService, {
      ...this.case.answers(),
      getPackage: () => this.package,
      watchCase: (_, { signal }) => this.follow(this.case.told, signal),
      watchDue: (_, { signal }) => this.follow(this.dues, signal),
    });
  }

  private answer(request: IncomingMessage, response: ServerResponse): void {
    const path = new URL(request.url ?? "/", "http://here").pathname;
    if (path.startsWith("/alcove.")) return this.known ? this.rpc(request, response) : void response.writeHead(401).end();
    if (path === "/me") return this.known ? json(response, this.officer) : void response.writeHead(204).end();
    if (path === "/here") return void response.writeHead(204).end();
    if (path === "/sign-out") return (this.signedIn = false), json(response, { next: null });
    if (path === "/sign-in") return (this.signedIn = true), void response.writeHead(303, { location: "/" }).end();
    if (path === "/media/events") {
      response.writeHead(200, { "content-type": "text/event-stream" });
      const beat = setInterval(() => response.write(": still here\n\n"), 5000);
      response.on("close", () => clearInterval(beat));
      response.write(": still here\n\n");
      return;
    }
    if (path === "/media/words/en.json") return json(response, JSON.parse(readFileSync(WORDS, "utf8")));
    // No media core is there, nor will be: what is gone isn't tried again.
    if (path.startsWith("/media/")) return void response.writeHead(410).end();
    const file = path === "/" ? "index.html" : path.slice(1);
    try {
      const body = readFileSync(join(DIST, file));
      response.writeHead(200, { "content-type": TYPES[extname(file)] ?? "application/octet-stream", "content-security-policy": POLICY, "cache-control": "no-store" });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  }
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
