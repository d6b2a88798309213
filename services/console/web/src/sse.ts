// Server-sent events over fetch: EventSource can't send a bearer token or a trace, and a token in a URL would be in every log.

import { type Bearing, bearing } from "./bearing";
import { Refused } from "./retry";

export interface ServerEvent {
  event: string;
  data: string;
}

/** Splits a stream's text into events; keeps what is not whole yet. Comments (": still here") are nothing. */
export class EventParser {
  private rest = "";

  push(text: string): ServerEvent[] {
    this.rest = (this.rest + text).replace(/\r\n?/g, "\n");
    const found: ServerEvent[] = [];
    for (let end = this.rest.indexOf("\n\n"); end >= 0; end = this.rest.indexOf("\n\n")) {
      const event = parse(this.rest.slice(0, end));
      this.rest = this.rest.slice(end + 2);
      if (event) found.push(event);
    }
    return found;
  }
}

function parse(block: string): ServerEvent | undefined {
  let event = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const colon = line.indexOf(":");
    if (colon === 0) continue;
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (field === "event") event = value;
    if (field === "data") data.push(value);
  }
  return data.length > 0 ? { event, data: data.join("\n") } : undefined;
}

export type Bytes = ReadableStream<Uint8Array<ArrayBuffer>>;

/** A stream that has been silent for so many ms counts as broken. */
export const SILENCE = 16_000;

/** Begins a stream. */
export async function begin(url: string, who: Bearing, signal: AbortSignal): Promise<Bytes> {
  const response = await fetch(url, {
    headers: { ...bearing(who), accept: "text/event-stream" },
    cache: "no-store",
    credentials: "omit",
    signal,
  });
  if (!response.ok || !response.body) throw new Refused(response.status);
  return response.body;
}

/** Follows a stream until it ends. */
export async function* follow(stream: Bytes): AsyncGenerator<ServerEvent> {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  const parser = new EventParser();
  try {
    for (;;) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const silent = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error("the event stream fell silent")), SILENCE);
      });
      const { value, done } = await Promise.race([reader.read(), silent]).finally(() => clearTimeout(timer));
      if (done) return;
      yield* parser.push(value);
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
