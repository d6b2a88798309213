// Counts what an officer does on the console by hand, in the call and after it: each visit to a field in which something is typed, by the
// field's name, and apart from that what is pressed and chosen. The page runs it before its own script.
(() => {
  const CHOSEN = ['checkbox', 'radio', 'button', 'submit', 'reset', 'file', 'range', 'color', 'hidden', 'image'];
  const isTyped = (one) => one instanceof HTMLTextAreaElement || one.isContentEditable || (one instanceof HTMLInputElement && !CHOSEN.includes(one.type));
  const nameOf = (one) => [one.closest('[data-person], [data-question], [data-kind]'), one]
    .map((of) => of?.dataset.person ?? of?.dataset.question ?? of?.dataset.field ?? of?.dataset.kind ?? of?.id ?? '').filter(Boolean).join(' ');
  let at;
  let visited;
  window.countAnew = () => {
    [at, visited] = ['during', undefined];
    window.byHand = { during: { typed: [], pressed: 0 }, after: { typed: [], pressed: 0 } };
  };
  window.countAnew();
  /** Whatever is done on another screen after the call is after it. */
  const now = () => {
    const view = document.body.dataset.view;
    at = view === 'call' ? 'during' : view === 'after' ? 'after' : at;
    return window.byHand[at];
  };
  const heard = (what, act) => document.addEventListener(what, (event) => act(event.target, event), { capture: true });
  heard('focusin', (target) => {
    if (target !== visited) visited = undefined;
  });
  heard('input', (target, { isTrusted }) => {
    // What a page puts into a field by itself isn't typed. But the driver sets a date so.
    if (!isTyped(target) || target === visited || !(isTrusted || target.type === 'date')) return;
    visited = target;
    now().typed.push(nameOf(target));
  });
  heard('change', (target) => {
    if (!isTyped(target)) now().pressed += 1;
  });
  heard('click', (target) => {
    if (target.closest('button, a, summary')) now().pressed += 1;
  });
  // Enter and the space bar press a button, which is a click.
  heard('keydown', (target, { key, repeat }) => {
    if (!isTyped(target) && !repeat && !['Tab', 'Enter', ' '].includes(key)) now().pressed += 1;
  });
})();
