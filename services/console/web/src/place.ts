// At which desk an officer is: their own, or another force's that they are lent to (docs/mutual-aid.md). Every request takes from here
// whose desk it is for and who asks, so that nothing is asked of one desk in the name that they have at the other.
import type { Officer } from "./api";

export interface Place {
  forceId: string;
  officerId: string;
}

export const placeOf = ({ force, id }: Officer): Place => ({ forceId: force, officerId: id });

/** The same officer at another force's desk: by their id and force, and a desk officer there whatever they are at home. */
export function lentTo(home: Officer, forceId: string): Officer {
  return { ...home, id: `${home.id}@${home.force}`, force: forceId, roles: ["desk_officer"] };
}

/** No id has this at home: the services refuse such a token. */
export const isLent = ({ id }: Officer) => id.includes("@");
