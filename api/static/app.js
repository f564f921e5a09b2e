// What every page needs; pages work without it.
"use strict";

// The browser moves the focus with its first frame, which may come after a quick typist's first key.
document.querySelector("[autofocus]")?.focus();

document.addEventListener("htmx:afterSwap", (event) => {
  const target = event.detail.target.querySelector("[data-focus]");
  if (target) target.focus();
});

// The file that a form sends goes at once where the form says so; its button is for those without script.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-send-at-once]");
  if (!form || event.target.type !== "file" || !event.target.files.length) return;
  const words = event.target.closest("label").querySelector("span");
  if (form.dataset.busy && words) {
    words.textContent = form.dataset.busy;
    const bar = document.createElement("progress"); // without a value: it moves until the answer comes
    bar.setAttribute("aria-label", form.dataset.busy);
    form.append(bar);
  }
  form.requestSubmit();
});

document.addEventListener("focusin", (event) => {
  if (event.target.matches("input[data-select]")) event.target.select();
});
