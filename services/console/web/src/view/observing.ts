// Somebody who watches another officer's call: whether they are in, said to them all the time. What they can't do there isn't shown.
import { get, say } from "../dom";
import { Role, type Session, Standing } from "../gen/alcove/session/v1/service_pb";

export function renderObserving(observing: boolean, session: Session | undefined, officerId = ""): void {
  const sign = get("observing");
  sign.hidden = !observing;
  if (!observing) return;
  const me = session?.participants.find((one) => one.role === Role.OBSERVER && one.officerId === officerId);
  const standing = me?.standing === Standing.IN ? "in" : me?.standing === Standing.REMOVED ? "removed" : "waiting";
  sign.dataset.standing = standing;
  const words = {
    waiting: "Waiting for the officer to let you in.",
    in: "You watch. Everybody in the call sees that you do; nobody sees or hears you.",
    removed: "The officer has asked you to go.",
  };
  say("observing-words", words[standing]);
}
