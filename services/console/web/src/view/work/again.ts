// What a caller who is rung again says, before they are asked in for photographs: each line is chosen, and none is taken for granted. What is
// done about it is in ../../work/again.ts.
import { get, make, say } from "../../dom";
import { e164 } from "../../format";
import { ConsentKind, SilentCaller } from "../../gen/alcove/intake/v1/service_pb";

type Key = "theirs" | "speak" | "overheard" | "shared" | "messagesRead" | "immediateDanger" | "offenderPresent" | "canJoin" | "video" | "recording" | "stills";
const LINES: [Key, string][] = [
  ["overheard", "Somebody can see or overhear them now"],
  ["shared", "Somebody else uses their phone"],
  ["messagesRead", "Somebody else reads its messages"],
  ["theirs", "You rang the number that they called from"],
  ["speak", "They speak on the phone"],
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
  /** How they are known to be there, if they don't speak; and whether they can be read a code. */
  silentCaller: SilentCaller;
  canListen: boolean;
  /** What was rung, if it isn't what they called from. */
  number: string;
  consents: { kind: ConsentKind; given: boolean }[];
}

const field = (key: Key) => get<HTMLSelectElement>(`again-${key}`);
const number = () => get<HTMLInputElement>("again-number");
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
  const line = make("div", "", { class: "again-line again-wide", hidden: "" });
  const input = make("input", "", { class: "govuk-input", id: "again-number", type: "tel", autocomplete: "off", maxlength: "30" });
  line.append(make("label", "The number that you rang", { class: "govuk-label", for: input.id }), input);
  field("theirs").parentElement!.after(line);
  againTrouble("");
  againSaid("");
  openAgain(false);
}

/** Which number was rung is asked only if it is another. */
export const renderRung = () => void (number().parentElement!.hidden = field("theirs").value !== "no");

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
  const rung = is("theirs") ? "" : e164(number().value);
  if (!is("theirs") && rung === "") {
    againTrouble("Write the number that you rang.");
    number().focus();
    return undefined;
  }
  return {
    deviceSafety: { overheard: is("overheard"), shared: is("shared"), messagesRead: is("messagesRead") },
    immediateDanger: is("immediateDanger"),
    offenderPresent: is("offenderPresent"),
    canJoin: is("canJoin"),
    silentCaller: is("speak") ? SilentCaller.UNSPECIFIED : SilentCaller.CANNOT_SPEAK,
    // Whom nobody overhears hears the phone alone.
    canListen: !is("overheard"),
    number: rung,
    consents: CONSENTS.map(([key, kind]) => ({ kind, given: is(key) })),
  };
}
