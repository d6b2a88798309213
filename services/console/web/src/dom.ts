// The page's elements by id, and the little that is done with them.

export function get<T extends HTMLElement = HTMLElement>(id: string): T {
  const element = document.getElementById(id);
  if (!element) throw new Error(`the page has no #${id}`);
  return element as T;
}

/** A new element with text; text is never read as HTML. */
export function make(tag: string, text = "", attributes: Record<string, string> = {}): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

export function onClick(id: string, act: (button: HTMLButtonElement) => Promise<void> | void): void {
  get(id).addEventListener("click", (event) => void act(event.currentTarget as HTMLButtonElement));
}

/** Sets text only where it differs, so that a live region speaks only of changes. */
export function say(id: string, text: string): void {
  const element = get(id);
  if (element.textContent !== text) element.textContent = text;
}

export type View = "loading" | "sign-in" | "desk" | "call" | "after" | "evidence" | "overview" | "rota";

export function view(): View {
  return document.body.dataset.view as View;
}

/** Shows one view, and puts the focus at its beginning. */
export function show(next: View): void {
  if (view() === next) return;
  document.body.dataset.view = next;
  const title = document.querySelector<HTMLElement>(`section[data-view="${next}"] h1`);
  title?.setAttribute("tabindex", "-1");
  title?.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

/** Pairs of a term and what is said of it. */
export function facts(list: HTMLElement, pairs: [string, string | HTMLElement][]): void {
  list.replaceChildren(
    ...pairs.flatMap(([term, about]) => {
      const dd = make("dd");
      dd.append(about);
      return [make("dt", term), dd];
    }),
  );
}
