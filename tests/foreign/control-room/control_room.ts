// A control room that shares no code with Alcove: TypeScript on Node, bindings generated from proto/ (`npm run build`).
//
//   node dist/control_room.js INTAKE_ADDRESS FORCE INCIDENT_NUMBER IDENTITY
//
// Opens a call, triages it, records consent, asks for the desk, and prints every update of WatchCall as a JSON line, the call's id first,
// until the call is sealed: over as many broken connections as there are. Then says how bad input was answered.
// IDENTITY is a folder with the control room's certificate.pem and key.pem, and roots.pem, who signs Alcove's own.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { fromBinary } from "@bufbuild/protobuf";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";

import {
  type CallUpdate, ConsentKind, IntakeService, Line, RiskGrade, type WatchCallResponse,
} from "./gen/alcove/intake/v1/service_pb.js";
import { ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.js";

type Intake = Client<typeof IntakeService>;
interface Call {
  forceId: string;
  callId: string;
}

/** How long to wait before trying again, the second time twice as long, and so on. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;

function connect(address: string, identity: string): Intake {
  const file = (name: string) => readFileSync(join(identity, name));
  const nodeOptions = { cert: file("certificate.pem"), key: file("key.pem"), ca: file("roots.pem") };
  return createClient(IntakeService, createGrpcTransport({ baseUrl: `https://${address}`, nodeOptions }));
}

/** The machine-readable reason, from the standard error details. */
function reason(error: ConnectError): string {
  for (const detail of error.details) {
    if ("type" in detail && detail.type === ErrorInfoSchema.typeName) return fromBinary(ErrorInfoSchema, detail.value).reason;
  }
  return "";
}

/** Nobody answered: Alcove or the network is away, or the connection broke (this library says Aborted or Canceled then). */
function isAway(error: unknown): boolean {
  return [Code.Unavailable, Code.DeadlineExceeded, Code.Aborted, Code.Canceled].includes(ConnectError.from(error).code);
}

/** Does it until it is answered: the request carries its id, so that it is done once. A refusal is an answer. */
async function surely<T>(ask: (options: { timeoutMs: number }) => Promise<T>): Promise<T> {
  for (let wait = FIRST_PAUSE_MS; ; wait = Math.min(2 * wait, LONGEST_PAUSE_MS)) {
    try {
      return await ask({ timeoutMs: 10_000 });
    } catch (error) {
      if (!isAway(error)) throw error;
      await pause(wait);
    }
  }
}

/** Every update once, in order, though the stream breaks. */
async function* watch(intake: Intake, call: Call): AsyncGenerator<WatchCallResponse> {
  let afterSequence = 0n;
  let wait = FIRST_PAUSE_MS;
  for (;;) {
    try {
      for await (const update of intake.watchCall({ ...call, afterSequence })) {
        yield update;
        afterSequence = update.sequence;
        wait = FIRST_PAUSE_MS;
      }
      return;
    } catch (error) {
      if (!isAway(error)) throw error;
      await pause(wait);
      wait = Math.min(2 * wait, LONGEST_PAUSE_MS);
    }
  }
}

async function handOver(intake: Intake, forceId: string, number: string): Promise<Call> {
  const incident = { date: new Date().toISOString().slice(0, 10), number };
  const open = { requestId: randomUUID(), forceId, line: Line.LINE_101, incident };
  const { callId } = await surely((options) => intake.openCall(open, options));
  const call = { forceId, callId };

  const triage = {
    requestId: randomUUID(), ...call, thrive: { threat: "none now" }, deviceSafety: {}, canJoin: true, risk: RiskGrade.MEDIUM, language: "en",
  };
  const { eligibility } = await surely((options) => intake.recordTriage(triage, options));
  if (!eligibility?.eligible) throw new Error(`not eligible: ${eligibility?.reason}`);

  const consents = [ConsentKind.VIDEO, ConsentKind.RECORDING].map((kind) => ({ kind, given: true, how: "spoken on the 101 line" }));
  const agreed = { requestId: randomUUID(), ...call, takenBy: "CH-22", consents };
  await surely((options) => intake.recordConsent(agreed, options));
  const transfer = { requestId: randomUUID(), ...call };
  await surely((options) => intake.requestTransfer(transfer, options));
  return call;
}

const kind = (update: CallUpdate | undefined) => update?.kind.case?.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const say = (what: object) => console.log(JSON.stringify(what));

const [address, force, number, identity] = process.argv.slice(2);
if (address === undefined || force === undefined || number === undefined || identity === undefined) {
  throw new Error("usage: control_room.js INTAKE_ADDRESS FORCE INCIDENT_NUMBER IDENTITY");
}
const intake = connect(address, identity);
const call = await handOver(intake, force, number);
say({ call_id: call.callId });
for await (const { sequence, update } of watch(intake, call)) say({ sequence: Number(sequence), kind: kind(update) });
try {
  await intake.getCall({ forceId: force, callId: randomUUID() }, { timeoutMs: 10_000 });
} catch (error) {
  const refused = ConnectError.from(error);
  say({ refused: Code[refused.code].replace(/(?<=[a-z])[A-Z]/g, "_$&").toUpperCase(), reason: reason(refused) });
}
