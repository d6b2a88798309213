// The case is left while something of its statement isn't saved: it becomes a version of its own, after whatever is on its way, and never by
// itself on top of what another officer has declared.
import { type Api, reasonOf, requestId } from "../api";
import type { Statement as Version } from "../gen/alcove/referral/v1/package_pb";
import type { Whose } from "./aside";

export interface Save extends Whose {
  requestId: string;
  text: string;
  version: number;
  declared: boolean;
}

/** What was sent and isn't answered yet. `done` is the version that it became, or nothing. */
export interface Going {
  save: Save;
  done: Promise<number | undefined>;
}

/** Only its officer says whether theirs comes after it. */
export const isAnothers = (last: Version | undefined, whose: Whose): boolean => last !== undefined && last.declared && last.officerId !== whose.officerId;

/** Sends it as often as it takes. Refused with CHANGED_MEANWHILE it is the officer's to choose. */
export function parting(api: Api, first: Save, going: Going | undefined): () => Promise<void> {
  let next = first;
  let before = going;
  return async () => {
    const version = await before?.done;
    before = undefined;
    if (version !== undefined) {
      if (going?.save.text === next.text) return;
      next = { ...next, version };
    }
    for (;;) {
      try {
        await api.referral.saveStatement(next);
        return;
      } catch (error) {
        if (reasonOf(error) !== "CHANGED_MEANWHILE") throw error;
        const [last] = (await api.referral.listStatements({ forceId: next.forceId, callId: next.callId })).statements;
        // It went in, and nobody heard the answer.
        if (last?.text === next.text) return;
        if (isAnothers(last, next)) throw error;
        // Every version is kept, so theirs is not written over by one that comes after it. It is one request, however often it is sent.
        next = { ...next, requestId: requestId(), version: last?.version ?? 0 };
      }
    }
  };
}
