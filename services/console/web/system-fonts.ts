// govuk-frontend's sheet without the typeface and the crest that are licensed for gov.uk alone: the system's own fonts instead.

const FONTS = 'system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

interface Node {
  remove(): void;
}
interface Declaration extends Node {
  prop: string;
  value: string;
}

export const systemFonts = {
  postcssPlugin: "system-fonts",
  AtRule: { "font-face": (rule: Node) => rule.remove() },
  Declaration(one: Declaration) {
    if (one.prop === "font-family" && one.value.includes("GDS Transport")) one.value = FONTS;
    if (one.value.includes("/assets/images/")) one.remove();
  },
};
