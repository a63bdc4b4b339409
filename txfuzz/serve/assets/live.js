"use strict";
// Puts the parts of a live page in place as the server sends them. Without it the page loads itself anew.
(() => {
  const main = document.querySelector("main[data-events]"), status = document.getElementById("status");
  const say = (text, lost) => { status.textContent = text; status.classList.toggle("lost", lost); };
  const source = new EventSource(main.dataset.events);
  source.onopen = () => say("Live.", false);
  source.onerror = () => say("The connection is lost; trying again.", true);
  source.addEventListener("parts", (event) => {
    for (const [name, html] of Object.entries(JSON.parse(event.data))) {
      const part = document.getElementById(name);
      if (part && !part.contains(document.activeElement)) part.innerHTML = html;
    }
    window.txfuzzReady(main);
  });
  source.addEventListener("ended", () => {
    source.close();
    say("It has ended.", false);
  });
})();
