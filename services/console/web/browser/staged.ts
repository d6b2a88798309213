// What becomes of a Clare's Law application as the service keeps it, as far as the page sees it.
import { create } from "@bufbuild/protobuf";
import { timestampNow } from "@bufbuild/protobuf/wkt";
import { Code } from "@connectrpc/connect";
import { CheckKind, type Disclosure, DisclosureSchema, DisclosureState, type RecordDisclosureStageRequest } from "../src/gen/alcove/referral/v1/disclosure_pb";
import { refusal } from "./told";

export function staged(before: Disclosure | undefined, { referralId, version, stage: asked, officerId }: RecordDisclosureStageRequest): Disclosure {
  if ((before?.version ?? 0n) !== version) throw refusal("CHANGED_MEANWHILE", "another stage was recorded", Code.Aborted);
  const stages = before?.stages ?? [];
  const was = before?.state ?? DisclosureState.APPLIED;
  const { stage } = asked!;
  const checked = stages.flatMap(({ stage: one }) => (one.case === "check" ? [one.value.kind] : []));
  let state = was;
  if (stage.case === "decision") {
    if (![CheckKind.IDENTITY, CheckKind.SAFETY].every((kind) => checked.includes(kind))) throw refusal("NOT_CHECKED", "check first");
    state = stage.value.disclose ? DisclosureState.TO_BE_PLANNED : DisclosureState.REFUSED;
  }
  if (stage.case === "plan") {
    if (was === DisclosureState.APPLIED) throw refusal("NOT_DECIDED", "decide first");
    state = DisclosureState.PLANNED;
  }
  if (stage.case === "told") {
    if (was === DisclosureState.TO_BE_PLANNED && !stage.value.immediateProtection) throw refusal("NOT_PLANNED", "plan first");
    state = was === DisclosureState.REFUSED ? DisclosureState.TOLD_OF_REFUSAL : DisclosureState.DISCLOSED;
  }
  return create(DisclosureSchema, { referralId, state, stages: [...stages, { ...asked!, officerId, at: timestampNow() }], version: version + 1n });
}
