// A keyboard on the screen covers the page's foot, and not every browser makes the page smaller for it. The ways out stay above it.
(function () {
  const seen = window.visualViewport;
  if (!seen) return;
  function fit() {
    // Somebody who looks closer has no keyboard.
    const covered = seen.scale > 1.05 ? 0 : Math.max(0, window.innerHeight - seen.height - seen.offsetTop);
    document.documentElement.style.setProperty("--up", Math.round(covered) + "px");
  }
  ["resize", "scroll"].forEach((name) => seen.addEventListener(name, fit));
})();
