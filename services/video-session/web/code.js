// The code as people type it: any case, spaces and hyphens, O for 0, I and L for 1. Null if it can't be one.
function normaliseCode(typed) {
  const code = String(typed).toUpperCase().replace(/[\s\u2010-\u2015-]/g, "").replace(/O/g, "0").replace(/[IL]/g, "1");
  return /^[0-9A-HJKMNP-TV-Z]{8}$/.test(code) ? code.slice(0, 4) + "-" + code.slice(4) : null;
}
