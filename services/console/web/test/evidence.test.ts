import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { beforeEach, expect, test, vi } from "vitest";
import { body } from "../screens";
import type { Api } from "../src/api";
import { Evidence } from "../src/evidence";
import { ExhibitState, ExhibitSummarySchema, GetExhibitResponseSchema, ListAccessResponseSchema } from "../src/gen/alcove/evidence/v1/service_pb";
import { Role, SessionSchema, Standing } from "../src/gen/alcove/session/v1/service_pb";
import { renderExhibits, renderFound, stateOf } from "../src/view/exhibits";
import { renderObserving } from "../src/view/observing";

const text = (id: string) => document.getElementById(id)!.textContent;
const hidden = (id: string) => document.getElementById(id)!.hidden;
const rows = () => [...document.querySelectorAll("#exhibit-rows button")].map((one) => one.textContent);
const summary = (what: MessageInitShape<typeof ExhibitSummarySchema>) => create(ExhibitSummarySchema, what);
const officer = { id: "pc-okafor", name: "PC Ada Okafor", force: "wmp", roles: [] };

beforeEach(() => {
  document.body.innerHTML = body(".");
});

test("exhibits are found by a part of their reference", () => {
  const all = [summary({ exhibitId: "1", reference: "ALC/7F3K/1" }), summary({ exhibitId: "2", reference: "ALC/4D8X/1" })];
  renderExhibits(all, "", true);
  expect([rows(), hidden("exhibits-more")]).toEqual([["ALC/7F3K/1", "ALC/4D8X/1"], false]);
  renderExhibits(all, " 7f3 ", false);
  expect([rows(), hidden("exhibits-more"), text("exhibits-said")]).toEqual([["ALC/7F3K/1"], true, ""]);
  renderExhibits(all, "zz", true);
  expect([hidden("exhibits"), text("exhibits-said")]).toEqual([true, "None of these has that in its reference. There are older ones."]);
});

test("what can be done with an exhibit goes by its state", () => {
  const stands = (state: ExhibitState, more: MessageInitShape<typeof GetExhibitResponseSchema> = {}) => {
    renderFound(create(GetExhibitResponseSchema, { exhibitId: "1", callId: "c", state, ...more }), []);
    return [stateOf(state).words, !hidden("look"), !hidden("going-on")];
  };
  expect(stands(ExhibitState.OPEN)).toEqual(["Recording", false, true]);
  expect(stands(ExhibitState.OPEN, { parentExhibitId: "0" }), "an addendum is no call").toEqual(["Recording", false, false]);
  expect(stands(ExhibitState.LOGGED)).toEqual(["Sealing", false, false]);
  expect(stands(ExhibitState.SEALED)).toEqual(["Sealed", true, false]);
  expect(stands(ExhibitState.DISPOSED)).toEqual(["Destroyed", false, false]);
  expect(text("accesses-said")).toBe("Nobody so far.");
  stands(ExhibitState.SEALED, { retention: { holds: [{ holdId: "h" }] } });
  expect(text("exhibit-facts")).toContain("on legal hold");
});

test("a look asks with its reason, and everybody's looks are read to the last page", async () => {
  const asked: object[] = [];
  const pages = [{ accesses: [{ who: "a" }], nextPageToken: "2" }, { accesses: [{ who: "b" }] }];
  const evidence = {
    listExhibits: async () => ({ exhibits: [summary({ exhibitId: "1", reference: "ALC/7F3K/1" })], nextPageToken: "" }),
    getExhibit: async () => create(GetExhibitResponseSchema, { exhibitId: "1", reference: "ALC/7F3K/1", state: ExhibitState.SEALED }),
    listAccess: async ({ pageToken }: { pageToken: string }) => create(ListAccessResponseSchema, pages[pageToken === "2" ? 1 : 0]!),
    async *export(request: object) {
      asked.push(request);
      yield { chunk: new Uint8Array(3) };
    },
  };
  const clicked = vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(() => {});
  const screen = new Evidence({ evidence } as unknown as Api, officer);
  await screen.look("1");
  expect([...document.querySelectorAll("#access-rows tr")].map((row) => row.children[1]!.textContent)).toEqual(["a", "b"]);
  await screen.export("File for the CPS");
  expect(asked).toMatchObject([{ exhibitId: "1", forceId: "wmp", who: "pc-okafor", reason: "File for the CPS" }]);
  expect((clicked.mock.contexts[0] as HTMLAnchorElement).download).toBe("ALC-7F3K-1.tar");
  screen.close();
  expect([hidden("exhibit"), text("access-rows")]).toEqual([true, ""]);
});

test("a working copy that is still being made is played as soon as it is there, and not on another exhibit's screen", async () => {
  vi.useFakeTimers();
  vi.spyOn(URL, "createObjectURL").mockReturnValue("blob:there");
  let tries = 0;
  const refused = new ConnectError("no such file", Code.NotFound);
  refused.details.push({ type: "google.rpc.ErrorInfo", value: new Uint8Array([0x0a, 12, ...new TextEncoder().encode("UNKNOWN_ITEM")]) });
  const evidence = {
    listExhibits: async () => ({ exhibits: [], nextPageToken: "" }),
    getExhibit: async () => create(GetExhibitResponseSchema, { exhibitId: "1", state: ExhibitState.SEALED }),
    listAccess: async () => create(ListAccessResponseSchema),
    async *readItem() {
      if (++tries < 3) throw refused;
      yield { chunk: new Uint8Array(3) };
    },
  };
  const screen = new Evidence({ evidence } as unknown as Api, officer);
  await screen.look("1");
  const played = screen.play("Writing my statement");
  await vi.advanceTimersByTimeAsync(100);
  expect([text("look-said"), text("look-trouble"), hidden("playback")]).toEqual(["The working copy is being made. It plays as soon as it is there.", "", true]);
  await vi.advanceTimersByTimeAsync(2000);
  await played;
  expect([tries, text("look-said"), hidden("playback"), document.getElementById("playback")!.getAttribute("src")]).toEqual([3, "", false, "blob:there"]);

  tries = -9;
  const other = screen.play("Writing my statement");
  await vi.advanceTimersByTimeAsync(100);
  await screen.look("2");
  await vi.advanceTimersByTimeAsync(60_000);
  await other;
  expect(hidden("playback")).toBe(true);
  vi.useRealTimers();
});

test("whoever watches is told all the time whether they are in", () => {
  const session = (standing: Standing) => create(SessionSchema, { participants: [{ role: Role.OBSERVER, officerId: "sgt-price", standing }] });
  renderObserving(true, undefined);
  expect([hidden("observing"), text("observing-words")]).toEqual([false, "Waiting for the officer to let you in."]);
  renderObserving(true, session(Standing.IN), "sgt-price");
  expect(text("observing-words")).toContain("Everybody in the call sees that you do");
  renderObserving(true, session(Standing.IN), "sgt-other");
  expect(document.getElementById("observing")!.dataset.standing, "another observer is not me").toBe("waiting");
  renderObserving(true, session(Standing.REMOVED), "sgt-price");
  expect(text("observing-words")).toBe("The officer has asked you to go.");
  renderObserving(false, undefined);
  expect(hidden("observing")).toBe(true);
});

function exporting(parts: () => AsyncGenerator<{ chunk: Uint8Array }>) {
  const asked: object[] = [];
  const evidence = {
    listExhibits: async () => ({ exhibits: [], nextPageToken: "" }),
    getExhibit: async () => create(GetExhibitResponseSchema, { exhibitId: "1", reference: "ALC/7F3K/1", state: ExhibitState.SEALED }),
    listAccess: async () => create(ListAccessResponseSchema),
    export: (request: object) => (asked.push(request), parts()),
  };
  return { asked, screen: new Evidence({ evidence } as unknown as Api, officer) };
}

/** A place on the disk, emptied when it was chosen; `writes` and `closes` may refuse. */
function disk(writes: (chunk: Uint8Array) => Promise<void> = async () => {}, closes = async () => {}) {
  const did: (string | number)[] = [];
  const file = {
    write: async (chunk: Uint8Array) => (await writes(chunk), void did.push(chunk.length)),
    close: async () => (await closes(), void did.push("closed")),
    abort: async () => void did.push("dropped"),
  };
  window.showSaveFilePicker = async ({ suggestedName }) => (did.push(suggestedName), { createWritable: async () => file, remove: async () => void did.push("removed") } as unknown as FileSystemFileHandle);
  return did;
}

test("a package goes to the disk chunk by chunk, the next one only when the last is written", async () => {
  let out = 0;
  const did = disk(async () => expect(out, "nothing is gathered").toBe(did.length));
  const { asked, screen } = exporting(async function* () {
    for (const size of [3, 5]) yield (out++, { chunk: new Uint8Array(size) });
  });
  await screen.look("1");
  await screen.export("File for the CPS");
  expect([did, asked.length, text("look-said")]).toEqual([["ALC-7F3K-1.tar", 3, 5, "closed"], 1, "Exported. Hand it on with its reference."]);
  delete window.showSaveFilePicker;
});

test("an export that breaks off, or has no room, leaves no half of a package, and who thinks better of it has looked at nothing", async () => {
  const broken = async function* () {
    yield { chunk: new Uint8Array(3) };
    throw new ConnectError("gone", Code.Unavailable);
  };
  let did = disk();
  const { asked, screen } = exporting(broken);
  await screen.look("1");
  await screen.export("r");
  expect([did, text("look-trouble"), text("look-said")]).toEqual([["ALC-7F3K-1.tar", 3, "dropped", "removed"], "The service can't be reached at the moment.", ""]);
  did = disk(async () => Promise.reject(new DOMException("", "QuotaExceededError")));
  await screen.export("r");
  expect([did, text("look-trouble")]).toEqual([["ALC-7F3K-1.tar", "dropped", "removed"], "It can’t be saved there. Is the disk full? Choose another place, and export again."]);
  window.showSaveFilePicker = () => Promise.reject(new DOMException("", "AbortError"));
  await screen.export("r");
  expect([asked.length, text("look-trouble")]).toEqual([2, ""]);
  delete window.showSaveFilePicker;
});

test("a package that can’t be put in its place leaves no empty file either", async () => {
  const did = disk(undefined, async () => Promise.reject(new DOMException("", "QuotaExceededError")));
  const { screen } = exporting(async function* () {
    yield { chunk: new Uint8Array(3) };
  });
  await screen.look("1");
  await screen.export("r");
  expect([did, text("look-trouble")]).toEqual([["ALC-7F3K-1.tar", 3, "dropped", "removed"], "It can’t be saved there. Is the disk full? Choose another place, and export again."]);
  delete window.showSaveFilePicker;
});

test("what became of an export is said of its own exhibit, and not on the card of another that was opened meanwhile", async () => {
  let go: () => void = () => {};
  let fails = false;
  const { screen } = exporting(async function* () {
    await new Promise<void>((done) => (go = done));
    yield { chunk: new Uint8Array(3) };
    if (fails) throw new ConnectError("gone", Code.Unavailable);
  });
  disk();
  for (fails of [false, true]) {
    await screen.look("1");
    const exported = screen.export("File for the CPS");
    await vi.waitFor(() => expect(text("look-said")).toBe("Saving the package…"));
    await screen.look("2");
    go();
    await exported;
    expect([text("look-said"), text("look-trouble")]).toEqual(["", ""]);
    expect(text("evidence-trouble")).toBe(fails ? "ALC/7F3K/1 is not exported. The service can't be reached at the moment." : "");
  }
  delete window.showSaveFilePicker;
});
