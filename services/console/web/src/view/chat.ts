// What is written, on screen. What is done about it is in ../chat.ts.
import { get, make, say } from "../dom";
import { language } from "../format";
import { type ChatLine, Role } from "../gen/alcove/session/v1/service_pb";
import { roleWord } from "./people";

/** A file of the caller's page: what a guest says, and what is said to one. */
export interface Phrases {
  guest: Record<string, string>;
  host: Record<string, string>;
}

export function clearChat(): void {
  get("chat-lines").replaceChildren();
  get<HTMLInputElement>("chat-text").value = "";
  say("chat-language", "");
  say("chat-trouble", "");
}

export function renderPhrases({ guest, host }: Phrases): void {
  const group = (label: string, phrases: Record<string, string>) => {
    const made = make("optgroup", "", { label });
    made.append(...Object.entries(phrases).map(([id, words]) => make("option", words, { value: id })));
    return made;
  };
  get("chat-phrase").replaceChildren(group("To the caller", host), group("Answers", guest));
}

export function renderLine(line: ChatLine): void {
  if (line.role === Role.CALLER) speaks(line.language);
  if (!line.text && !line.phrase) return;
  const lines = get("chat-lines");
  const item = make("li", "", { "data-role": roleWord(line.role).toLowerCase(), "data-number": String(line.number) });
  const what = make("span", line.text || line.english, { dir: "auto", lang: line.text ? line.language : "en", class: "said" });
  item.append(make("strong", roleWord(line.role)), what);
  if (line.words && line.words !== line.english) {
    item.append(make("span", line.words, { dir: "auto", lang: line.language, class: "original" }));
  }
  lines.append(item);
  lines.scrollTop = lines.scrollHeight;
}

function speaks(tag: string): void {
  const foreign = tag !== "en";
  say("chat-language", foreign ? `The caller reads ${language(tag)}. Phrases are translated, what you type is not.` : "");
}
