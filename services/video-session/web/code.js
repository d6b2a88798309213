// The code as people type it: any case, blanks and marks anywhere, O for 0, I and L for 1, on keyboards with other digits or of full width.
// Null if it can't be one.
function normaliseCode(typed) {
  const digit = (other) => (other.charCodeAt(0) & 15) - (other < "\u0900" ? 0 : 6);
  const plain = String(typed).normalize("NFKC").replace(/[\u0660-\u0669\u06f0-\u06f9\u09e6-\u09ef\u0a66-\u0a6f]/g, digit);
  const code = plain.toUpperCase().replace(/[^\p{L}\p{N}]/gu, "").replace(/O/g, "0").replace(/[IL]/g, "1");
  return /^[0-9A-HJKMNP-TV-Z]{8}$/.test(code) ? code.slice(0, 4) + "-" + code.slice(4) : null;
}
