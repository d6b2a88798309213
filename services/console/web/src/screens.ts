// From one screen to another, while there is no call: a call is left by ending it.
import type { Api, Officer } from "./api";
import { get, show, view, type View } from "./dom";
import { Evidence } from "./evidence";
import { Overview } from "./overview";
import { followRota, Rota } from "./rota";

let evidence: Evidence | undefined;
let overview: Overview | undefined;
let rota: Rota | undefined;

function leave(): void {
  if (view() !== "evidence") {
    evidence?.close();
    evidence = undefined;
  }
  if (view() !== "overview") {
    overview?.close();
    overview = undefined;
  }
  if (view() !== "rota") {
    rota?.close();
    rota = undefined;
  }
}

interface Who {
  api: Api;
  officer: Officer;
  /** Shows a call of another officer's. */
  observe(callId: string): void;
  /** Leaves a call that is only watched; false while one of our own is open. */
  free(): boolean;
  /** Shows what comes after a call of before. */
  follows(officer: Officer, callId: string): void;
}

export function followScreens(who: () => Who | undefined): void {
  const go = (to: View): boolean => {
    if (!who()?.free()) return false;
    // What follows the call is left as its own button leaves it.
    if (view() === "after") get("to-desk").click();
    // They are asked first whether something may be lost.
    if (view() === "after") return false;
    show(to);
    return true;
  };
  document.querySelector(".ways")!.addEventListener("click", (event) => {
    const to = (event.target as HTMLElement).closest<HTMLElement>("button[data-to]")?.dataset.to as View | undefined;
    if (to) go(to);
  });
  get("alerts-sign").addEventListener("click", () => {
    if (go("overview")) get("alerts-title").focus();
  });
  get("overview-rota").addEventListener("click", () => go("rota"));
  followRota(() => rota);
  // Whatever takes the screen, an accepted call or a sign-out: what was looked at doesn't stay.
  new MutationObserver(() => {
    leave();
    const here = who();
    if (view() === "evidence" && here) evidence ??= new Evidence(here.api, here.officer);
    if (view() === "overview" && here) overview ??= new Overview(here.api, here.officer);
    if (view() === "rota" && here) rota ??= new Rota(here.api, here.officer);
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
  get("case-open").addEventListener("click", () => {
    const { call } = get("exhibit").dataset;
    const here = who();
    if (call && here?.free()) here.follows(here.officer, call);
  });
  get("officers").addEventListener("click", (event) => {
    const call = (event.target as HTMLElement).closest<HTMLElement>("button[data-act=watch]")?.dataset.call;
    if (call) who()?.observe(call);
  });
  get<HTMLSelectElement>("window").addEventListener("change", (event) => void overview?.window(Number((event.currentTarget as HTMLSelectElement).value)));
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
