// The reviewer's bench: a field and its place on the page show each other, and every action has a key.
"use strict";

(() => {
  const bench = document.getElementById("bench");
  const panel = document.getElementById("panel");
  const stage = bench.querySelector(".stage");
  const help = document.getElementById("help");
  const keysOn = document.getElementById("keys-on");
  let chosen = null;
  let zoom = 1;

  const rows = () => [...panel.querySelectorAll(".field")];
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

  function showSheet(key) {
    for (const sheet of stage.querySelectorAll(".sheet")) sheet.hidden = sheet.dataset.sheet !== key;
    for (const tab of bench.querySelectorAll(".tab")) tab.setAttribute("aria-pressed", String(tab.dataset.sheet === key));
  }

  function setZoom(value) {
    zoom = Math.min(4, Math.max(0.5, value));
    for (const svg of stage.querySelectorAll(".sheet svg")) svg.style.width = `${100 * zoom}%`;
  }

  // Marks a field in the list and on the page; `edit` puts the cursor into its value.
  function choose(id, { edit = false, focus = true } = {}) {
    const row = id && document.getElementById(id);
    if (!row) return;
    for (const other of panel.querySelectorAll(".field.on")) {
      if (other === row) continue;
      other.classList.remove("on");
      other.querySelector(".more").hidden = true;
      other.querySelector(".pick").setAttribute("aria-expanded", "false");
    }
    chosen = id;
    row.classList.add("on");
    row.querySelector(".more").hidden = false;
    row.querySelector(".pick").setAttribute("aria-expanded", "true");
    showSheet(row.dataset.sheet);
    for (const box of stage.querySelectorAll(".box")) box.classList.toggle("on", box.dataset.row === id);
    const box = stage.querySelector(`.box[data-row="${CSS.escape(id)}"]`);
    if (box) centre(box);
    if (focus) row.querySelector(".pick").focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
    const first = edit && row.querySelector(".edit input:not([type=hidden])");
    if (first) {
      const ticked = row.querySelector(".edit input[name=value]:checked") || first;
      ticked.focus();
      if (ticked.type !== "radio" && ticked.type !== "checkbox") ticked.select();
    }
  }

  function centre(box) {
    const place = box.getBoundingClientRect();
    const frame = stage.getBoundingClientRect();
    stage.scrollBy({
      left: place.left + place.width / 2 - frame.left - frame.width / 2,
      top: place.top + place.height / 2 - frame.top - frame.height / 2,
      behavior: calm ? "auto" : "smooth",
    });
  }

  function step(by, wanted = () => true) {
    const all = rows();
    const at = all.findIndex((row) => row.id === chosen);
    for (let n = 1; n <= all.length; n += 1) {
      const row = all[(at + by * n + all.length * 2) % all.length];
      if (wanted(row)) return choose(row.id);
    }
  }

  function openDialog(id) {
    const dialog = document.getElementById(id);
    const button = panel.querySelector(`[data-open="${id}"]`);
    if (!dialog || dialog.open || (button && button.disabled)) return;
    dialog.showModal();
    const first = dialog.querySelector("textarea, input[type=checkbox]:not(#keys-on), [data-first], [data-do=close]");
    if (first) first.focus();
  }

  function turn(by) {
    const tabs = [...bench.querySelectorAll(".tab")];
    const at = tabs.findIndex((tab) => tab.getAttribute("aria-pressed") === "true");
    const tab = tabs[(at + by + tabs.length) % tabs.length];
    if (tab) tab.click();
  }

  // Turns the page by a quarter, about the same pixels that the boxes are measured in.
  function quarter() {
    const svg = stage.querySelector(".sheet:not([hidden]) svg");
    if (!svg) return;
    const { width, height } = svg.dataset;
    const turned = (Number(svg.dataset.turn) + 90) % 360;
    const shift = { 0: "0 0", 90: `${height} 0`, 180: `${width} ${height}`, 270: `0 ${width}` }[turned];
    svg.dataset.turn = turned;
    svg.setAttribute("viewBox", turned % 180 ? `0 0 ${height} ${width}` : `0 0 ${width} ${height}`);
    svg.querySelector("g").setAttribute("transform", `translate(${shift}) rotate(${turned})`);
  }

  const doubtful = (row) => row.matches(".wrong, .look");
  const press = (selector) => panel.querySelector(selector)?.click();
  const KEYS = {
    j: () => step(1), ArrowDown: () => step(1),
    k: () => step(-1), ArrowUp: () => step(-1),
    n: () => step(1, doubtful),
    e: () => choose(chosen, { edit: true }), Enter: () => choose(chosen, { edit: true }),
    y: () => press(".field.on .confirm"),
    "[": () => turn(-1), "]": () => turn(1),
    "+": () => setZoom(zoom * 1.25), "=": () => setZoom(zoom * 1.25), "-": () => setZoom(zoom / 1.25),
    t: quarter,
    s: () => press("#accept"), q: () => press("#back"),
    g: () => openDialog("approve"), b: () => openDialog("return"), r: () => openDialog("reject"),
    "?": () => openDialog("help"),
  };

  document.addEventListener("keydown", (event) => {
    const dialog = document.querySelector("dialog[open]");
    const typing = event.target.closest("input, textarea, select");
    if (event.key === "Enter" && event.ctrlKey && dialog?.querySelector("form")) return dialog.querySelector("form").requestSubmit();
    if (event.key === "Escape" && typing && !dialog) return choose(chosen);
    if (dialog || typing || event.ctrlKey || event.altKey || event.metaKey || (!keysOn.checked && event.key.length === 1)) return;
    const onControl = event.target.closest("a, summary, button:not(.pick), .stage");
    if (onControl && (event.key === "Enter" || event.key.startsWith("Arrow"))) return;
    const act = KEYS[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });

  document.addEventListener("click", (event) => {
    const hit = (selector) => event.target.closest(selector);
    let found;
    if ((found = hit(".box, .lead"))) choose(found.dataset.row);
    else if ((found = hit(".pick"))) choose(found.closest(".field").id);
    else if ((found = hit(".tab"))) showSheet(found.dataset.sheet);
    else if ((found = hit("[data-go]"))) showSheet(found.dataset.go);
    else if ((found = hit("[data-open]:is(button)"))) openDialog(found.dataset.open);
    else if ((found = hit("[data-notice]"))) {
      noted.add(found.dataset.notice);
      writeNotice();
      openDialog("return");
    } else if ((found = hit("[data-do]"))) {
      const act = found.dataset.do;
      if (act === "close") found.closest("dialog").close();
      else if (act === "turn") quarter();
      else setZoom(act === "in" ? zoom * 1.25 : zoom / 1.25);
    }
  });

  // Confirming sends the value that was read, whatever stands in the box.
  document.addEventListener("click", (event) => {
    const form = event.target.closest(".confirm")?.closest("form");
    if (!form) return;
    form.reset();
    askWhy(form);
  }, true);

  // A value that differs from what was read needs its reason; the browser asks for it before anything is sent.
  function askWhy(form) {
    const differs = [...form.querySelectorAll("[name=value]")].some((box) => (
      /radio|checkbox/.test(box.type) ? box.checked !== box.defaultChecked : box.value !== box.defaultValue
    ));
    for (const kind of form.querySelectorAll("[name=kind]")) kind.required = differs;
  }
  for (const change of ["input", "change"]) {
    document.addEventListener(change, (event) => {
      if (event.target.matches(".edit [name=value]")) askWhy(event.target.form);
    });
  }

  // What the applicant must correct goes onto the notice, and stays there when the panel is drawn anew.
  const noted = new Set();
  function writeNotice() {
    const box = panel.querySelector("#return textarea");
    for (const text of box ? noted : []) {
      if (box.value.includes(text)) continue;
      const lines = box.value.split("\n").filter((line) => line.trim());
      box.value = [...lines, `${lines.length + 1}. ${text}`].join("\n");
    }
  }

  document.addEventListener("submit", (event) => {
    for (const button of event.target.querySelectorAll("button:not([type=button])")) setTimeout(() => { button.disabled = true; });
  });

  // The check's answer may come while somebody types: what was typed stays.
  let typed = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    // So does a reason in a dialogue: the next look, a moment later, comes when it is closed.
    if (event.detail.requestConfig.verb === "get" && panel.querySelector("dialog[open]")) {
      event.detail.shouldSwap = false;
      return;
    }
    const box = document.activeElement;
    typed = event.detail.target.id === "panel" && box.matches(".edit input[name=value]:not([type])") ? box.value : null;
  });

  // The panel is new: boxes take their colours from it, and after a correction the next doubtful field is chosen.
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target.id !== "panel") return;
    writeNotice();
    for (const box of stage.querySelectorAll(".box")) {
      const row = document.getElementById(box.dataset.row);
      if (row) box.setAttribute("class", `box ${[...row.classList].filter((c) => c !== "field").join(" ")}`);
    }
    if (event.detail.requestConfig.verb === "get") {
      choose(chosen, { edit: typed !== null });
      if (typed !== null) document.activeElement.value = typed;
      return;
    }
    const rest = rows();
    const at = rest.findIndex((row) => row.id === chosen);
    const next = rest.slice(at + 1).find(doubtful) || rest.find(doubtful);
    choose(next ? next.id : chosen);
  });

  keysOn.checked = localStorage.getItem("bench-keys") !== "off";
  keysOn.addEventListener("change", () => localStorage.setItem("bench-keys", keysOn.checked ? "on" : "off"));
  if ("deciding" in bench.dataset) {
    const word = () => JSON.parse(document.body.getAttribute("hx-headers"));
    setInterval(() => fetch(`/office/cases/${bench.dataset.number}/hold`, { method: "POST", headers: word() }), 5 * 60 * 1000);
  }

  const first = rows().find(doubtful) || rows()[0];
  if (first) choose(first.id);
  else if (stage.querySelector(".sheet")) showSheet(stage.querySelector(".sheet").dataset.sheet);
  panel.querySelector("[role=alert]")?.focus();
})();
