// The list of traces, and what a run found, side by side.
//
// A class is what people are told in one sentence: `{ id, traces }`. A trace: `{ browser, file, what, ways, note }`, where `what` was found
// in the file after the call had ended in each of these ways; `sometimes`: not in every run.

// What a run found, as traces of one word and one way each: `{ browser, way, file, what }`. Pictures that the browser also has without a
// call are its own: by kind and length, as a database's pages may cut one differently each time.
export function told(browser, { own, calls }) {
  const looks = ({ file, kind, bytes }) => [file, kind, bytes].join();
  const pictures = new Set(own.map(looks));
  return Object.entries(calls).flatMap(([way, { found, images }]) => [
    ...found.flatMap(({ file, what }) => what.map((one) => ({ browser, way, file, what: one }))),
    ...[...new Set(images.filter((image) => !pictures.has(looks(image))).map((image) => `${image.file} (${image.kind})`))]
      .map((file) => ({ browser, way, file, what: "picture" })),
  ]);
}

const isOf = (trace, one) => trace.browser === one.browser && trace.file === one.file && trace.what.includes(one.what) && trace.ways.includes(one.way);
const line = (one) => `${one.browser}, ${one.way}: ${one.what} in ${one.file}`;

// In words: what was found and isn't known, and what is known and wasn't found.
export function differences({ classes }, browser, found) {
  const traces = classes.flatMap((one) => one.traces).filter((trace) => trace.browser === browser);
  const unknown = found.filter((one) => !traces.some((trace) => isOf(trace, one)));
  const expected = traces.filter((trace) => !trace.sometimes).flatMap((trace) =>
    trace.ways.flatMap((way) => trace.what.map((what) => ({ browser, way, file: trace.file, what }))));
  const missing = expected.filter((one) => !found.some((other) => line(other) === line(one)));
  const unnamed = classes.filter((one) => one.id === "new");
  return [
    ...unknown.map((one) => `new: ${line(one)}`),
    ...missing.map((one) => `not there any more: ${line(one)}`),
    ...unnamed.map((one) => `without a class: ${one.traces.map((trace) => trace.file).join(", ")}`),
  ];
}

// The list with what isn't known yet, under `new`.
export function taken({ classes, ...rest }, found) {
  const traces = classes.flatMap((one) => one.traces);
  const fresh = [];
  for (const { browser, way, file, what } of found.filter((one) => !traces.some((trace) => isOf(trace, one)))) {
    let same = fresh.find((trace) => trace.browser === browser && trace.file === file);
    if (!same) fresh.push(same = { browser, file, by: {} });
    (same.by[what] ??= []).push(way);
  }
  // Words that are found after the same ways make one trace.
  const together = fresh.flatMap(({ browser, file, by }) => {
    const ways = [...new Set(Object.values(by).map((ways) => ways.join()))];
    return ways.map((some) => ({ browser, file, what: Object.keys(by).filter((what) => by[what].join() === some), ways: some.split(",") }));
  });
  if (together.length === 0) return { classes, ...rest };
  const known = classes.filter((one) => one.id !== "new");
  const before = classes.find((one) => one.id === "new")?.traces ?? [];
  return { classes: [...known, { id: "new", traces: [...before, ...together] }], ...rest };
}
