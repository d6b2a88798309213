// What a draft of the statement doesn't know, "[...]": where the next is, what could stand there, and how it is struck out.
export const BLANK = "[...]";

export interface Blank {
  at: number;
  /** As it is counted from one. */
  line: number;
  /** The words about it. */
  about: string;
}

export function blanksIn(text: string): Blank[] {
  const found: Blank[] = [];
  for (let at = text.indexOf(BLANK); at >= 0; at = text.indexOf(BLANK, at + BLANK.length)) {
    const begin = text.lastIndexOf("\n", at - 1) + 1;
    const end = text.indexOf("\n", at);
    const line = text.slice(begin, end < 0 ? undefined : end);
    const from = Math.max(0, at - begin - 24);
    found.push({ at, line: text.slice(0, at).split("\n").length, about: `${from > 0 ? "…" : ""}${line.slice(from, at - begin + BLANK.length + 16).trim()}` });
  }
  return found;
}

/** The next from there on, or the first. */
export const blankAfter = (text: string, from: number): Blank | undefined => {
  const all = blanksIn(text);
  return all.find(({ at }) => at >= from) ?? all[0];
};

/** What the page knows of it by itself: who declares it, and on which day. */
export function fitsIn(text: string, { at }: Blank, officer: string, today: string): string {
  const before = text.slice(0, at);
  if (/\bSigned: $/.test(before)) return officer;
  return /\bDated: $/.test(before) ? today : "";
}

/** From where to where goes what is struck out: the brackets that it stands in, its colon, or itself. */
export function struck(text: string, { at }: Blank): [number, number] {
  const end = at + BLANK.length;
  const open = /\s?\([^()\n]*$/.exec(text.slice(0, at));
  const shut = /^[^()\n]*\)/.exec(text.slice(end));
  if (open && shut) return [open.index, end + shut[0].length];
  return [at - (/(: |\s)$/.exec(text.slice(0, at))?.[0].length ?? 0), end];
}
