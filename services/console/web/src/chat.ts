// What is written in the call: our lines sent, everybody's shown. The phrases are the same as on the caller's page, from there.
import { type Api, type Officer, requestId, surely, words } from "./api";
import { say } from "./dom";
import type { ChatLine } from "./gen/alcove/session/v1/service_pb";
import { placeOf } from "./place";
import { clearChat, type Phrases, renderLine, renderPhrases } from "./view/chat";

export class Chat {
  private shown = 0;
  private phrases: Promise<void> | undefined;

  constructor(
    private readonly api: Api,
    private readonly officer: Officer,
    private readonly callId: string,
  ) {
    clearChat();
  }

  /** A stream that was begun anew tells all of it again. */
  heard(line: ChatLine): void {
    if (line.number <= this.shown) return;
    this.shown = line.number;
    renderLine(line);
  }

  /** `eventsUrl`: the phrases lie beside it. Without them one can still type. */
  fetchPhrases(eventsUrl: string): void {
    this.phrases ??= fetch(eventsUrl.replace(/events$/, "words/en.json"), { credentials: "omit", cache: "no-store" })
      .then(async (answer) => renderPhrases((await answer.json()) as Phrases))
      .catch(() => {
        this.phrases = undefined;
        say("chat-trouble", "The ready-made phrases can’t be had.");
      });
  }

  /** Nothing that was written stays on the page after the call. */
  close(): void {
    clearChat();
  }

  /** Says whether it was sent. */
  async send(what: { case: "text" | "phrase"; value: string }): Promise<boolean> {
    // What we type is English; a phrase is read in the caller's language, which the service knows.
    const language = what.case === "text" ? "en" : "";
    const request = { requestId: requestId(), ...placeOf(this.officer), callId: this.callId, what, language };
    try {
      await surely(() => this.api.session.sendChat(request));
      say("chat-trouble", "");
      return true;
    } catch (error) {
      say("chat-trouble", words(error));
      return false;
    }
  }
}
