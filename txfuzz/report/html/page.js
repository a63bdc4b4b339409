"use strict";
// Copies commands, and shows the details of what is pointed at or has the focus. The page is whole without it.
(() => {
  const copied = async (button) => {
    const text = button.parentElement.querySelector("code").textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(button.parentElement.querySelector("code"));
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      if (!document.execCommand("copy")) return;
    }
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
  };
  const ready = (root) => root.querySelectorAll("button.copy[hidden]").forEach((each) => { each.hidden = false; });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button.copy");
    if (button) copied(button);
  });

  const tip = document.createElement("div");
  tip.className = "tooltip";
  tip.setAttribute("role", "tooltip");
  tip.hidden = true;
  const show = (target) => {
    tip.textContent = target.dataset.tip;
    tip.hidden = false;
    const at = target.getBoundingClientRect(), own = tip.getBoundingClientRect();
    const below = at.bottom + own.height + 12 < innerHeight;
    tip.style.left = `${Math.max(8, Math.min(at.left, innerWidth - own.width - 8)) + scrollX}px`;
    tip.style.top = `${(below ? at.bottom + 6 : at.top - own.height - 6) + scrollY}px`;
  };
  const hide = () => { tip.hidden = true; };
  // A drawing has titles for readers without scripts; two tooltips at once would be one too many
  const tipped = (event) => event.target.closest && event.target.closest("[data-tip]");
  for (const name of ["pointerover", "focusin"]) {
    document.addEventListener(name, (event) => {
      const target = tipped(event);
      if (!target) { if (name === "pointerover") hide(); return; }
      const title = target.querySelector(":scope > title");
      if (title) title.remove();
      show(target);
    });
  }
  document.addEventListener("focusout", hide);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  document.addEventListener("DOMContentLoaded", () => { document.body.append(tip); ready(document); });
  window.txfuzzReady = ready;
})();
