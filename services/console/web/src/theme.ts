// Light, or plain dark for a dim room: a switch, remembered on this machine. Nothing else about anybody is kept there.
import { get } from "./dom";

const KEY = "alcove.theme";
const root = document.documentElement;

function setTheme(dark: boolean): void {
  root.dataset.theme = dark ? "dark" : "light";
  get("theme").setAttribute("aria-pressed", String(dark));
}

/** As it was left, and from here on as the switch says. */
export function followTheme(): void {
  setTheme(localStorage.getItem(KEY) === "dark");
  get("theme").addEventListener("click", () => {
    const dark = root.dataset.theme !== "dark";
    localStorage.setItem(KEY, dark ? "dark" : "light");
    setTheme(dark);
  });
}
