// The heart that beats in a worker: browsers slow the timers of a page that is not in front, and an officer who looks
// something up in another tab is still at the desk.
setInterval(() => postMessage(0), 5000);
