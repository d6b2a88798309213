// The pictures that were kept on this page, small, with their number, their time and the chapter that they belong to. The small ones are
// drawn here from what was on screen and go with the page; the ones that count are taken out of the sealed recording.
import { get, make } from "../dom";
import { clock } from "../format";
import { currentChapter } from "./timeline";

const WIDTH = 160;

export function clearTray(): void {
  get("tray").replaceChildren();
  get("tray-none").hidden = false;
}

/** What is on screen now, small; to be called when it is kept, for it goes on. */
export function glimpse(video: HTMLVideoElement): HTMLCanvasElement {
  const small = document.createElement("canvas");
  const { videoWidth, videoHeight } = video;
  small.width = WIDTH;
  small.height = Math.round((WIDTH * (videoHeight || 9)) / (videoWidth || 16));
  small.getContext("2d")?.drawImage(video, 0, 0, small.width, small.height);
  return small;
}

export function addToTray(number: number, picture: HTMLCanvasElement, at = new Date()): void {
  const during = currentChapter();
  const item = make("li", "", { "data-number": String(number), "data-testid": "kept" });
  const label = make("button", "Say what it shows", { type: "button", class: "link", "data-label": String(number) });
  label.append(make("span", `: still-${number}`, { class: "govuk-visually-hidden" }));
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", `Picture ${number}`);
  item.append(picture, make("strong", `still-${number}`), make("span", clock(at)), make("span", during, { class: "hush" }), make("span", "", { class: "tray-label" }), label);
  get("tray").append(item);
  get("tray-none").hidden = true;
}
