// What every request to video-session's HTTP bears: who asks, and the trace of the call that it is about.

export interface Bearing {
  token: string;
  /** The call's own (W3C Trace Context); empty if nobody has said. */
  traceparent: string;
}

export function bearing({ token, traceparent }: Bearing): Record<string, string> {
  return { authorization: `Bearer ${token}`, ...(traceparent !== "" && { traceparent }) };
}
