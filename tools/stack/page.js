// Takes what has changed from the page itself, every two seconds. Without this the page
// loads itself anew.
"use strict";

const every = 2000;

async function renew() {
  try {
    const response = await fetch("./", { cache: "no-store" });
    if (response.ok) {
      const fresh = new DOMParser().parseFromString(await response.text(), "text/html");
      const state = document.getElementById("state");
      const said = fresh.getElementById("state").textContent;
      if (state.textContent !== said) {
        state.textContent = said; // read out, so only when it is new
      }
      const live = document.getElementById("live");
      // Who scrolls with the keyboard stays where he is.
      const focused = document.activeElement?.id;
      const places = [...live.querySelectorAll("[tabindex]")].map((e) => [e.id, e.scrollLeft, e.scrollTop]);
      live.replaceChildren(...fresh.getElementById("live").childNodes);
      for (const [id, left, top] of places) {
        document.getElementById(id)?.scrollTo(left, top);
      }
      if (focused && document.activeElement?.id !== focused) {
        document.getElementById(focused)?.focus({ preventScroll: true });
      }
    }
  } catch {
    document.getElementById("state").textContent = "The stack doesn't answer: it was ended, or is starting.";
  }
  setTimeout(renew, every);
}

setTimeout(renew, every);
