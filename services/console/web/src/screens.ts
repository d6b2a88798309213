// From one screen to another, while there is no call: a call is left by ending it.
import type { Api, Officer } from "./api";
import { get, show, view, type View } from "./dom";
import { Evidence } from "./evidence";

let evidence: Evidence | undefined;

function leave(): void {
  evidence?.close();
  evidence = undefined;
}

interface Who {
  api: Api;
  officer: Officer;
  /** Shows a call of another officer's. */
  observe(callId: string): void;
}

export function followScreens(who: () => Who | undefined): void {
  document.querySelector(".ways")!.addEventListener("click", (event) => {
    const to = (event.target as HTMLElement).closest<HTMLElement>("button[data-to]")?.dataset.to as View | undefined;
    const here = who();
    if (!to || !here) return;
    // What follows the call is left as its own button leaves it.
    if (view() === "after") get("to-desk").click();
    show(to);
    if (to === "evidence") evidence ??= new Evidence(here.api, here.officer);
  });
  // Whatever takes the screen, an accepted call or a sign-out: what was looked at doesn't stay.
  new MutationObserver(() => {
    if (view() !== "evidence") leave();
    for (const button of document.querySelectorAll<HTMLElement>(".ways [data-to]")) {
      if (button.dataset.to === view()) button.setAttribute("aria-current", "page");
      else button.removeAttribute("aria-current");
    }
  }).observe(document.body, { attributeFilter: ["data-view"] });

  get("exhibit-rows").addEventListener("click", (event) => {
    const id = (event.target as HTMLElement).closest<HTMLElement>("button[data-exhibit]")?.dataset.exhibit;
    if (id) void evidence?.look(id);
  });
  get("observe").addEventListener("click", () => {
    const { call } = get("exhibit").dataset;
    if (call) who()?.observe(call);
  });
  get("find").addEventListener("input", () => evidence?.find());
  get("exhibits-more").addEventListener("click", () => void evidence?.more());
  const form = get<HTMLFormElement>("look");
  const ask = async (act: (reason: string) => Promise<void> | undefined) => {
    // The browser says what is missing.
    if (!form.reportValidity()) return;
    for (const id of ["play", "export"]) get<HTMLButtonElement>(id).disabled = true;
    await act(get<HTMLInputElement>("look-reason").value.trim());
    for (const id of ["play", "export"]) get<HTMLButtonElement>(id).disabled = false;
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void ask((reason) => evidence?.play(reason));
  });
  get("export").addEventListener("click", () => void ask((reason) => evidence?.export(reason)));
}
