// What is written of a case at once by several officers, and over a bad network: nothing lost, nothing written over unseen.
import { Code, ConnectError } from "@connectrpc/connect";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Kept } from "../src/work/kept";
import { detailsOf } from "../src/work/refusal";
import { anyUnsent, Unsent } from "../src/work/unsent";
import { timeLeft } from "../src/view/work/left";

interface Note {
  text: string;
  more: string;
  version: bigint;
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const away = () => new ConnectError("nobody is there", Code.Unavailable);
const info = (reason: string, ...pairs: [string, string][]) => {
  const bytes = (text: string) => [text.length, ...new TextEncoder().encode(text)];
  const entries = pairs.flatMap(([key, value]) => {
    const entry = [0x0a, ...bytes(key), 0x12, ...bytes(value)];
    return [0x1a, entry.length, ...entry];
  });
  return { type: "google.rpc.ErrorInfo", value: new Uint8Array([0x0a, ...bytes(reason), 0x12, ...bytes("alcove"), ...entries]) };
};
function refused(reason: string, code = Code.Aborted): ConnectError {
  const error = new ConnectError("refused", code);
  error.details.push(info(reason));
  return error;
}
const pass = (ms = 0) => vi.advanceTimersByTimeAsync(ms);

function rig(save: (item: Note, id: string) => Promise<void>) {
  const unsent = new Unsent(() => {});
  const troubles: unknown[] = [];
  let editing = "";
  const kept = new Kept<Note>(
    unsent,
    {
      save: async (_, item, id) => (await save(item, id), { ...item, version: item.version + 1n }),
      same: (a, b) => a.text === b.text && a.more === b.more,
      editing: (key) => key === editing,
      merged: (base, mine, theirs) => (mine.text !== base.text && theirs.text !== base.text ? undefined : { ...theirs, ...(mine.text !== base.text && { text: mine.text }), ...(mine.more !== base.more && { more: mine.more }) }),
      changed: () => {},
      refused: (_, error) => void troubles.push(error),
    },
    "note/",
  );
  return { unsent, kept, troubles, edit: (key: string) => (editing = key) };
}
const blank: Note = { text: "", more: "", version: 0n };
const note = (text: string, version: bigint, more = "") => new Map([["a", { text, more, version }]]);

test("what nobody answers is sent again under the same id, and what is typed meanwhile after it", async () => {
  const sent: [string, bigint, string][] = [];
  let up = false;
  const { unsent, kept } = rig(async ({ text, version }, id) => {
    sent.push([text, version, id]);
    if (!up) throw away();
  });
  kept.change("a", { text: "one" }, blank);
  await pass();
  expect([kept.standing("a"), unsent.trying, anyUnsent()]).toEqual(["trying", 1, true]);
  kept.change("a", { text: "two" }, blank);
  kept.change("a", { text: "three" }, blank);
  up = true;
  await pass(5000);
  expect(sent.map(([text, version]) => [text, version])).toEqual([["one", 0n], ["one", 0n], ["three", 1n]]);
  expect([sent[0]![2] === sent[1]![2], sent[1]![2] === sent[2]![2]]).toEqual([true, false]);
  expect([kept.standing("a"), kept.shown("a")?.version, unsent.count, anyUnsent()]).toEqual(["saved", 2n, 0, false]);
});

test("nothing is asked for while nobody is signed in, and nothing after another has", async () => {
  let quiet = true;
  const send = vi.fn(async () => {});
  const unsent = new Unsent(() => {}, () => quiet);
  const change = { begin: () => send, refused: () => true, changed: () => {} };
  unsent.put("a", change);
  await pass(20_000);
  expect(send).not.toHaveBeenCalled();
  quiet = false;
  await pass(5000);
  expect(send).toHaveBeenCalledTimes(1);
  quiet = true;
  unsent.put("b", change);
  unsent.drop();
  quiet = false;
  await pass(20_000);
  expect([send.mock.calls.length, anyUnsent()]).toEqual([1, false]);
});

test("an older word of it changes nothing, a newer one is shown, but not under who types", async () => {
  const { kept, edit } = rig(async () => {});
  kept.heard(note("theirs", 3n));
  kept.heard(note("older", 2n));
  expect(kept.shown("a")?.text).toBe("theirs");
  edit("a");
  kept.heard(note("newer", 4n));
  expect(kept.shown("a")?.text).toBe("theirs");
  edit("");
  kept.settle("a");
  expect(kept.shown("a")?.text).toBe("newer");
  edit("a");
  kept.heard(new Map());
  expect(kept.shown("a")?.text, "taken out under who types").toBe("newer");
  edit("");
  kept.heard(new Map());
  expect(kept.shown("a"), "taken out").toBeUndefined();
});

test("whoever was second chooses; what does not meet is put together", async () => {
  const sent: Note[] = [];
  let now = 1n;
  const { kept, edit } = rig(async (item) => {
    if (item.version !== now) throw refused("CHANGED_MEANWHILE");
    now += 1n;
    sent.push(item);
  });
  kept.heard(note("first", 1n));
  now = 2n;
  kept.change("a", { text: "mine" }, blank);
  await pass();
  expect([kept.standing("a"), kept.other("a")?.text], "theirs is still on its way").toEqual(["clash", "first"]);
  kept.heard(note("theirs", 2n));
  expect([kept.other("a")?.text, kept.shown("a")?.text, sent.length]).toEqual(["theirs", "mine", 0]);
  kept.keepMine("a");
  await pass();
  expect([sent.at(-1), kept.standing("a")]).toEqual([{ text: "mine", more: "", version: 2n }, "saved"]);

  now = 9n;
  kept.change("a", { text: "mine again" }, blank);
  await pass();
  kept.heard(note("theirs again", 9n));
  kept.takeTheirs("a");
  expect([kept.shown("a")?.text, kept.standing("a"), sent.length]).toEqual(["theirs again", "saved", 1]);

  now = 10n;
  kept.change("a", { more: "mine" }, blank);
  await pass();
  kept.heard(note("theirs once more", 10n));
  await pass();
  expect(sent.at(-1), "nobody is asked").toEqual({ text: "theirs once more", more: "mine", version: 10n });
  kept.heard(note("theirs for good", 11n, "mine"));
  edit("a");
  now = 12n;
  kept.heard(note("and again", 12n, "mine"));
  kept.change("a", { more: "mine for good" }, blank);
  edit("");
  await pass();
  expect([sent.at(-1), kept.standing("a")], "theirs was here before the refusal").toEqual([{ text: "and again", more: "mine for good", version: 12n }, "saved"]);
  now = 20n;
  kept.change("a", { text: "the same" }, blank);
  await pass();
  kept.heard(note("the same", 20n, "mine for good"));
  expect([kept.standing("a"), kept.shown("a")?.version], "both say the same").toEqual(["saved", 20n]);
});

test("what is refused stays on the screen, and says so", async () => {
  const { kept, troubles } = rig(async () => {
    throw refused("INVALID_PERSON", Code.InvalidArgument);
  });
  kept.change("a", { text: "wrong" }, blank);
  await pass();
  expect([kept.standing("a"), kept.shown("a")?.text, troubles.length]).toEqual(["refused", "wrong", 1]);
});

test("a case that isn’t there yet is waited for", async () => {
  let there = false;
  const ids: string[] = [];
  const { kept } = rig(async (_, id) => {
    ids.push(id);
    if (!there) throw refused("UNKNOWN_CALL", Code.NotFound);
  });
  kept.change("a", { text: "early" }, blank);
  await pass();
  expect(kept.standing("a")).toBe("trying");
  there = true;
  await pass(5000);
  expect([kept.standing("a"), new Set(ids).size]).toEqual(["saved", 1]);
});

test("what was refused can be sent once more as it is", async () => {
  let takes = false;
  const { kept } = rig(async () => {
    if (!takes) throw refused("INVALID_PERSON", Code.InvalidArgument);
  });
  kept.change("a", { text: "too early" }, blank);
  await pass();
  expect(kept.standing("a")).toBe("refused");
  takes = true;
  kept.again();
  await pass();
  expect([kept.standing("a"), kept.shown("a")?.text]).toEqual(["saved", "too early"]);
});

test("what two begin on a blank is put together, and a retry is the same request", async () => {
  const unsent = new Unsent(() => {});
  const sent: Note[] = [];
  let fails: unknown = away();
  let known = "";
  const kept = new Kept<Note>(
    unsent,
    {
      begun: (_, item) => ({ ...item, more: item.more + known }),
      save: async (_, item) => {
        sent.push(item);
        if (fails) throw fails;
        return { ...item, version: item.version + 1n };
      },
      same: () => false,
      editing: () => false,
      blank: () => blank,
      merged: (base, mine, theirs) => (theirs.text === base.text ? { ...theirs, text: mine.text } : undefined),
      changed: () => {},
      refused: () => {},
    },
    "note/",
  );
  kept.change("a", { text: "mine" }, blank);
  await pass();
  known = "!";
  fails = refused("CHANGED_MEANWHILE");
  await pass(5000);
  expect(sent.slice(0, 2).map(({ more, version }) => [more, version])).toEqual([["", 0n], ["", 0n]]);
  fails = undefined;
  kept.heard(new Map([["a", { text: "", more: "theirs", version: 1n }]]));
  await pass();
  expect([sent.at(-1), kept.standing("a")]).toEqual([{ text: "mine", more: "theirs!", version: 1n }, "saved"]);
});

test("a refusal says which field it is about", () => {
  const error = new ConnectError("no", Code.InvalidArgument);
  expect(detailsOf(error)).toEqual({});
  error.details.push(info("INVALID_PERSON", ["field", "date_of_birth"], ["rule", "BORN_IN_THE_FUTURE"]));
  expect(detailsOf(error)).toEqual({ field: "date_of_birth", rule: "BORN_IN_THE_FUTURE" });
});

test("the time that is left is said in words", () => {
  const now = Date.parse("2026-11-27T12:00:00Z");
  const left = (minutes: number) => timeLeft(new Date(now + minutes * 60_000), now);
  expect([1, 59, 60, 61, 200, 601, 60 * 47, 60 * 50, 60 * 24 * 28, 0.2].map(left)).toEqual([
    "1 minute left", "59 minutes left", "1 hour left", "1 hour 1 minute left", "3 hours 20 minutes left", "10 hours left", "47 hours left", "2 days left", "28 days left", "1 minute left",
  ]);
  expect([-1, -150, -60 * 72].map(left)).toEqual(["1 minute late", "2 hours 30 minutes late", "3 days late"]);
});
