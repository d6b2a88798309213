// What is typed into a field of date and time is Britain's time, on whatever clock the machine goes.
const WALL = new Intl.DateTimeFormat("sv-SE", { timeZone: "Europe/London", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit" });

/** A moment as such a field has it: "2026-11-27T18:00". */
export function toField(at: Date): string {
  return WALL.format(at).replace(" ", "T");
}

/** Back again. Of the hour that comes twice in October it is the first; the one that is left out in March is the one after it. */
export function fromField(value: string): Date | undefined {
  const inWinter = /^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(value) ? Date.parse(`${value}Z`) : Number.NaN;
  if (Number.isNaN(inWinter)) return undefined;
  const inSummer = new Date(inWinter - 3_600_000);
  return toField(inSummer) === value ? inSummer : new Date(inWinter);
}
