// What was written of a statement and could not be saved by itself when its case was left. It is in memory only, for the officer who has
// written it, and stands there again when they open the case.
const texts = new Map<string, string>();

export interface Whose {
  officerId: string;
  forceId: string;
  callId: string;
}
const keyOf = ({ officerId, forceId, callId }: Whose) => [officerId, forceId, callId].join(" ");

export const putAside = (whose: Whose, text: string): void => void texts.set(keyOf(whose), text);
export const asideOf = (whose: Whose): string => texts.get(keyOf(whose)) ?? "";
export const takenBack = (whose: Whose): void => void texts.delete(keyOf(whose));
export const anyAside = (): boolean => texts.size > 0;
export const dropAside = (): void => texts.clear();
