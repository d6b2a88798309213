// What a caller who is rung again says, before they are asked in for photographs: each line is chosen, and none is taken for granted. What is
// done about it is in ../../work/again.ts.
import { get, make, say } from "../../dom";
import { ConsentKind } from "../../gen/alcove/intake/v1/service_pb";

type Key = "overheard" | "shared" | "messagesRead" | "immediateDanger" | "offenderPresent" | "canJoin" | "video" | "recording" | "stills";
const LINES: [Key, string][] = [
  ["overheard", "Somebody can see or overhear them now"],
  ["shared", "Somebody else uses their phone"],
  ["messagesRead", "Somebody else reads its messages"],
  ["immediateDanger", "They are in danger at this moment"],
  ["offenderPresent", "Whom it is about is there"],
  ["canJoin", "The phone has a camera and opens web pages"],
  ["video", "They agree to video"],
  ["recording", "They agree to be recorded"],
  ["stills", "They agree to photographs"],
];
const CONSENTS: [Key, ConsentKind][] = [["video", ConsentKind.VIDEO], ["recording", ConsentKind.RECORDING], ["stills", ConsentKind.STILLS]];

export interface Asked {
  deviceSafety: { overheard: boolean; shared: boolean; messagesRead: boolean };
  immediateDanger: boolean;
  offenderPresent: boolean;
  canJoin: boolean;
  consents: { kind: ConsentKind; given: boolean }[];
}

const field = (key: Key) => get<HTMLSelectElement>(`again-${key}`);
export const againTrouble = (words: string) => say("again-trouble", words);
export const againSaid = (words: string) => say("again-said", words);

export function openAgain(open?: boolean): boolean {
  const head = get("again-head");
  const is = open ?? head.getAttribute("aria-expanded") !== "true";
  head.setAttribute("aria-expanded", String(is));
  get("again-form").hidden = !is;
  return is;
}

/** Nothing is chosen. */
export function clearAgain(): void {
  get("again-lines").replaceChildren(
    ...LINES.map(([key, words]) => {
      const line = make("div", "", { class: "again-line" });
      const select = make("select", "", { class: "govuk-select", id: `again-${key}` });
      select.append(...[["", "Choose…"], ["yes", "Yes"], ["no", "No"]].map(([value, word]) => make("option", word, { value: value! })));
      line.append(make("label", words, { class: "govuk-label", for: select.id }), select);
      return line;
    }),
  );
  againTrouble("");
  againSaid("");
  openAgain(false);
}

/** After the call only, and not another force's. */
export const renderAgain = (is: boolean) => void (get("again-part").hidden = !is);

/** What was chosen; undefined: something isn't yet, and that is gone to. */
export function askedAgain(): Asked | undefined {
  const open = LINES.find(([key]) => field(key).value === "");
  if (open) {
    againTrouble(`Ask this, too: ${open[1].charAt(0).toLowerCase()}${open[1].slice(1)}?`);
    field(open[0]).focus();
    return undefined;
  }
  const is = (key: Key) => field(key).value === "yes";
  return {
    deviceSafety: { overheard: is("overheard"), shared: is("shared"), messagesRead: is("messagesRead") },
    immediateDanger: is("immediateDanger"),
    offenderPresent: is("offenderPresent"),
    canJoin: is("canJoin"),
    consents: CONSENTS.map(([key, kind]) => ({ kind, given: is(key) })),
  };
}
