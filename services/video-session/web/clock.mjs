// A clock for the tests: it does as it is told.
export const settled = () => new Promise((done) => setImmediate(done));

// Timers that run when their time is said to have come, and in their order.
export function clock() {
  let now = 0;
  let last = 0;
  const waiting = new Map();
  const after = (act, ms, every) => { last += 1; waiting.set(last, { act, at: now + ms, every }); return last; };
  return {
    setTimeout: (act, ms) => after(act, ms, 0),
    setInterval: (act, ms) => after(act, ms, ms),
    clearTimeout: (id) => waiting.delete(id),
    clearInterval: (id) => waiting.delete(id),
    Date: { now: () => now },
    async pass(ms) {
      const end = now + ms;
      for (await settled(); ; await settled()) {
        const [id, due] = [...waiting].filter(([, one]) => one.at <= end).sort(([, a], [, b]) => a.at - b.at)[0] || [];
        if (!due) break;
        now = due.at;
        if (due.every) due.at += due.every;
        else waiting.delete(id);
        due.act();
      }
      now = end;
    },
  };
}
