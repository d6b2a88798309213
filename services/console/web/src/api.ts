// The services behind the console, by gRPC-web through its proxy; and the console's own few requests.
import { type Client, Code, ConnectError, createClient, type Interceptor, type Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { EvidenceService } from "./gen/alcove/evidence/v1/service_pb";
import { IntakeService } from "./gen/alcove/intake/v1/service_pb";
import { ReferralService } from "./gen/alcove/referral/v1/service_pb";
import { SessionService } from "./gen/alcove/session/v1/service_pb";
import { TransferService } from "./gen/alcove/transfer/v1/service_pb";
import { ANSWER_WITHIN } from "./retry";

export interface Officer {
  id: string;
  name: string;
  force: string;
  roles: string[];
}

export interface Api {
  intake: Client<typeof IntakeService>;
  transfer: Client<typeof TransferService>;
  session: Client<typeof SessionService>;
  evidence: Client<typeof EvidenceService>;
  referral: Client<typeof ReferralService>;
}

/** `signedOut` is called when the console no longer knows us. */
export function connect(origin: string, signedOut: () => void): Api {
  const noticeSignOut: Interceptor = (next) => async (request) => {
    const heard = (error: unknown) => {
      if (ConnectError.from(error).code === Code.Unauthenticated) signedOut();
      return error;
    };
    try {
      const answer = await next(request);
      return answer.stream ? { ...answer, message: watched(answer.message, heard) } : answer;
    } catch (error) {
      throw heard(error);
    }
  };
  // One call is one trace: whoever lets us into a call says which, and what we ask about it goes on in it.
  const traces = new Map<string, string>();
  const followTrace: Interceptor = (next) => async (request) => {
    const call = !request.stream && "callId" in request.message ? String(request.message.callId) : "";
    const trace = traces.get(call);
    if (trace) request.header.set("traceparent", trace);
    const answer = await next(request);
    const belongs = answer.header.get("traceresponse");
    if (call && belongs) traces.set(call, belongs);
    return answer;
  };
  const transport = answered(createGrpcWebTransport({ baseUrl: origin, interceptors: [noticeSignOut, followTrace] }));
  return {
    intake: createClient(IntakeService, transport),
    transfer: createClient(TransferService, transport),
    session: createClient(SessionService, transport),
    evidence: createClient(EvidenceService, transport),
    referral: createClient(ReferralService, transport),
  };
}

/** A question has its answer in time, or none: whoever waits is told. A stream goes on for as long as it does. */
const answered = (transport: Transport): Transport => ({
  unary: (method, signal, timeoutMs, ...rest) => transport.unary(method, signal, timeoutMs ?? ANSWER_WITHIN, ...rest),
  stream: (...asked) => transport.stream(...asked),
});

/** A stream is refused at its end, long after it was begun. */
async function* watched<T>(messages: AsyncIterable<T>, failed: (error: unknown) => unknown): AsyncGenerator<T> {
  try {
    yield* messages;
  } catch (error) {
    throw failed(error);
  }
}

/** A fresh id for a request, so that sending it again does nothing twice. */
export function requestId(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  // Pages over plain HTTP from another host have no randomUUID.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** Sends a change until it is answered: the same id makes a repeat harmless. Gives up on a refusal. */
export async function surely<T>(send: () => Promise<T>, tries = 4): Promise<T> {
  for (let n = 1; ; n++) {
    try {
      return await send();
    } catch (error) {
      if (ConnectError.from(error).code !== Code.Unavailable || n === tries) throw error;
      await new Promise((resolve) => setTimeout(resolve, 300 * n));
    }
  }
}

/** The contract's word for a refusal: "NO_NUMBER". */
export function reasonOf(error: unknown): string {
  const info = ConnectError.from(error).details.find((one) => "type" in one && one.type === "google.rpc.ErrorInfo");
  if (!info || !("value" in info) || !(info.value instanceof Uint8Array)) return "";
  // Its first field is the reason: a tag, a length below 128, and that many bytes.
  const [tag, length = 0] = info.value;
  return tag === 0x0a ? new TextDecoder().decode(info.value.subarray(2, 2 + length)) : "";
}

/** What an officer is told of a refusal. */
export function words(error: unknown): string {
  const refused = ConnectError.from(error);
  switch (refused.code) {
    case Code.Unavailable:
    case Code.DeadlineExceeded:
    case Code.Unknown:
      return "The service can't be reached at the moment.";
    case Code.Unauthenticated:
      return "You are signed out.";
    default:
      return refused.rawMessage.charAt(0).toUpperCase() + refused.rawMessage.slice(1) + ".";
  }
}

async function answer<T>(path: string, init?: RequestInit): Promise<T | undefined> {
  const response = await fetch(path, { cache: "no-store", credentials: "same-origin", ...init });
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.status === 204 ? undefined : ((await response.json()) as T);
}

export const whoAmI = () => answer<Officer>("/me", { signal: AbortSignal.timeout(ANSWER_WITHIN) });
/** Ends every sign-in of ours. Answers where the issuer's own is ended. */
export const signOut = () => answer<{ next: string | null }>("/sign-out", { method: "POST" });
/** A person is there. */
export const here = () => answer<void>("/here", { method: "POST" });
