// A statement whose case is left while something of it isn't saved.
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";
import { refusal } from "../browser/told";
import { type Api } from "../src/api";
import { type Going, parting, type Save } from "../src/work/parting";
import { everyVersion } from "../src/work/versions";

const save = (text: string, declared = false): Save => ({ requestId: `r-${text}`, officerId: "pc-okafor", forceId: "wmp", callId: "c", text, version: 1, declared });
const theirs = (version: number, text: string, declared = false) => ({ version, officerId: "pc-singh", text, declared });
const changed = () => refusal("CHANGED_MEANWHILE", "another version was saved", Code.Aborted);

/** Answers what is saved one after the other. */
function rig(answers: (number | ConnectError)[], listed: object[] = []) {
  const sent: Save[] = [];
  const referral = {
    saveStatement: async (one: Save) => {
      sent.push(one);
      const answer = answers.shift();
      if (typeof answer !== "number") throw answer;
      return { version: answer };
    },
    listStatements: async () => ({ statements: listed }),
  };
  return { sent, api: { referral } as unknown as Api };
}
const going = (one: Save, version: number | undefined): Going => ({ save: one, done: Promise.resolve(version) });

test("what was declared and is on its way is not sent again as something else", async () => {
  const { sent, api } = rig([]);
  const declared = save("mine", true);
  await parting(api, declared, going(declared, 2))();
  expect(sent).toEqual([]);
  const unanswered = rig([2]);
  await parting(unanswered.api, declared, going(declared, undefined))();
  expect(unanswered.sent, "the very same request, if nobody has answered").toEqual([declared]);
});

test("what was typed since comes after what is on its way", async () => {
  const { sent, api } = rig([3]);
  await parting(api, save("mine and more"), going(save("mine", true), 2))();
  expect(sent.map(({ text, version, declared }) => [text, version, declared])).toEqual([["mine and more", 2, false]]);
});

test("after another's version it is one request, however often it is sent", async () => {
  const { sent, api } = rig([changed(), new ConnectError("away", Code.Unavailable), 3], [theirs(2, "theirs")]);
  const send = parting(api, save("mine"), undefined);
  await expect(send()).rejects.toThrow("away");
  await send();
  expect(sent.map(({ version }) => version)).toEqual([1, 2, 2]);
  expect([sent[1]!.requestId === sent[2]!.requestId, sent[0]!.requestId === sent[1]!.requestId]).toEqual([true, false]);
});

test("the same text is not saved twice, and nothing by itself on top of what another has declared", async () => {
  const twice = rig([changed()], [theirs(2, "mine")]);
  await parting(twice.api, save("mine"), undefined)();
  expect(twice.sent.length).toBe(1);
  const declared = rig([changed()], [theirs(2, "theirs", true)]);
  await expect(parting(declared.api, save("mine"), undefined)()).rejects.toThrow("another version was saved");
  expect(declared.sent.length).toBe(1);
});

test("every version is shown, however many pages they are", async () => {
  const pages = new Map([["", [3, 2]], ["older", [1]]]);
  const page = async (token: string) => ({ statements: pages.get(token)!.map((version) => theirs(version, "")), nextPageToken: token ? "" : "older" });
  const versions = await everyVersion(page as unknown as Parameters<typeof everyVersion>[0]);
  expect(versions.map(({ version }) => version)).toEqual([3, 2, 1]);
});
