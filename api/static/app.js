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
  if (form.dataset.busy && words) words.textContent = form.dataset.busy;
  form.requestSubmit();
});

// Scans go up one after another; when the network is gone they wait and go on by themselves.
for (const form of document.querySelectorAll("form[data-uploader]")) {
  const waiting = [];
  const list = form.querySelector("[data-queue]");
  let busy = false;

  const say = (text, bad) => {
    const line = document.createElement("p");
    line.textContent = text;
    if (bad) line.className = "bad-line";
    return line;
  };
  const show = (...lines) => list.replaceChildren(...lines);
  const failures = [];

  const send = async () => {
    if (busy) return;
    busy = true;
    while (waiting.length) {
      const file = waiting[0];
      show(...failures, say(form.dataset.sending.replace("{name}", file.name) + (waiting.length > 1 ? ` (${waiting.length})` : "")));
      const body = new FormData();
      body.append("csrf", form.elements.csrf.value);
      body.append("file", file, file.name);
      try {
        const answer = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true", "X-CSRF-Token": form.elements.csrf.value } });
        waiting.shift();
        if (!answer.ok) {
          const told = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("p");
          failures.push(say(form.dataset.failed.replace("{name}", file.name) + (told ? `：${told.textContent}` : ""), true));
        } else if (answer.headers.get("HX-Redirect")) {
          location.assign(answer.headers.get("HX-Redirect"));
        } else {
          htmx.ajax("GET", "/kiosk/case/status", "#case");
        }
      } catch {
        show(...failures, say(form.dataset.offline, true));
        await new Promise((go) => { setTimeout(go, 4000); addEventListener("online", go, { once: true }); });
      }
    }
    show(...failures);
    busy = false;
  };

  const add = (files) => { failures.length = 0; waiting.push(...files); send(); };
  form.addEventListener("change", (event) => {
    if (event.target.type !== "file") return;
    add([...event.target.files]);
    event.target.value = "";
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    form.addEventListener(kind, (event) => {
      event.preventDefault();
      form.classList.toggle("over", kind === "dragover");
      if (kind === "drop") add([...event.dataTransfer.files]);
    });
  }
}

// A kiosk forgets its citizen: a question after some minutes without a touch, then the session ends.
const idle = document.getElementById("idle");
if (idle) {
  const grace = Number(idle.dataset.graceSeconds);
  let last = Date.now();
  const stay = () => { last = Date.now(); if (idle.open) idle.close(); };
  for (const kind of ["pointerdown", "keydown", "scroll", "change"]) {
    addEventListener(kind, () => { if (!idle.open) last = Date.now(); }, { passive: true });
  }
  idle.querySelector("[data-stay]").addEventListener("click", stay);
  idle.addEventListener("cancel", stay);
  setInterval(() => {
    const over = (Date.now() - last) / 1000 - Number(idle.dataset.idleSeconds);
    if (over < 0) return;
    if (!idle.open) idle.showModal();
    idle.querySelector("[data-left]").textContent = Math.max(0, Math.ceil(grace - over));
    if (over >= grace) idle.querySelector("form[data-leave]").submit();
  }, 1000);
}

document.addEventListener("focusin", (event) => {
  if (event.target.matches("input[data-select]")) event.target.select();
});
