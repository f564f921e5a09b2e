// What every page needs; pages work without it.
"use strict";

document.addEventListener("htmx:afterSwap", (event) => {
  const target = event.detail.target.querySelector("[data-focus]");
  if (target) target.focus();
});

// The file that a form sends goes at once where the form says so; its button is for those without script.
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-send-at-once]");
  if (form && event.target.type === "file" && event.target.files.length) form.requestSubmit();
});
