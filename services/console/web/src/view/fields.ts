// What is wrong with what was typed, said beside its field.
import { get, say } from "../dom";

/** Words by the field's id. */
export type Faults = Record<string, string>;

/** Shows these and no others, and goes to the first. Says whether there are any. */
export function showFaults(fields: readonly string[], faults: Faults): boolean {
  for (const id of fields) {
    const words = faults[id] ?? "";
    say(`${id}-fault`, words);
    if (words) get(id).setAttribute("aria-invalid", "true");
    else get(id).removeAttribute("aria-invalid");
  }
  const first = fields.find((id) => faults[id]);
  if (first) get(first).focus();
  return first !== undefined;
}

export const typed = (id: string) => get<HTMLInputElement>(id).value.trim();

/** Without the fields that nothing is wrong with. */
export function only(faults: Record<string, string | false | undefined>): Faults {
  return Object.fromEntries(Object.entries(faults).filter((one): one is [string, string] => Boolean(one[1])));
}
