// What a tap has to say is said until it is heard. `bearer` gives the token, for as long as it needs to be said.
const TELL_AGAIN = 300;
const LONGEST_AGAIN = 5000;

async function sayTap(tapped, bearer) {
  let wait = TELL_AGAIN;
  for (let token = bearer(); token; token = bearer()) {
    try {
      const [answer] = await ask("/tap", {
        method: "POST",
        keepalive: true,
        headers: bearing(token, { "Content-Type": "application/json" }),
        body: JSON.stringify(tapped),
      }, PATCH_WITHIN);
      if (answer.status < 500 && answer.status !== 429) return;
    } catch (error) {
      // Said again.
    }
    await pause(wait);
    wait = Math.min(wait * 2, LONGEST_AGAIN);
  }
}
