// The kiosk's pages. A scan waits in the browser's own database until the service has it as a page: it outlives a cut
// line, a reload and a crash, and is sent in parts by tus 1.0 (https://tus.io) from where the line broke. Leaving wipes
// all of it, here and at the service. Without this script scans are sent by the forms themselves.
const NAME = "docproc-kiosk";
const RETRY = 3000; // milliseconds until a cut line is tried again
const TELL = 60000; // milliseconds between two words to the office of what waits
const STALLED = 30000; // milliseconds without a byte after which a line counts as cut
const sending = document.getElementById("sending");
const words = sending ? sending.dataset : {};
const csrf = JSON.parse(document.body.getAttribute("hx-headers") || "{}")["X-CSRF-Token"] || "";

// ---- what waits; the database mirrors it

let waiting = [];
let database = null;

const asked = (request) => new Promise((go, fail) => {
  request.onsuccess = () => go(request.result);
  request.onerror = () => fail(request.error);
});

async function openStore() {
  const request = indexedDB.open(NAME, 1);
  request.onupgradeneeded = () => request.result.createObjectStore("files", { keyPath: "id" });
  database = await asked(request);
  database.onversionchange = () => database.close();
}

const files = (mode) => database.transaction("files", mode).objectStore("files");
const keep = (item) => (database ? asked(files("readwrite").put(item)) : undefined);
const forget = (item) => (database ? asked(files("readwrite").delete(item.id)) : undefined);

async function recall(number) {
  try {
    await openStore();
    for (const item of await asked(files("readonly").getAll())) {
      if (item.number === number) waiting.push(item); else await forget(item); // nobody sees what another one left
    }
    waiting.sort((a, b) => a.since - b.since);
  } catch {
    database = null; // a browser that keeps nothing: scans wait in this page only
  }
}

async function wipe() {
  waiting = [];
  if (line) line.abort();
  localStorage.clear();
  sessionStorage.clear();
  if (database) database.close();
  database = null;
  const gone = indexedDB.deleteDatabase(NAME);
  await Promise.race([asked(gone), new Promise((go) => { gone.onblocked = go; })]).catch(() => {});
}

// ---- the line

let line = null;

class Cut extends Error {} // try again later
class Refused extends Error {} // the service says no, and why

function call(method, url, headers = {}, body = null) {
  return new Promise((go, fail) => {
    const request = line = new XMLHttpRequest();
    let timer = 0;
    const alive = () => { clearTimeout(timer); timer = setTimeout(() => request.abort(), STALLED); };
    const end = (how) => () => { clearTimeout(timer); if (line === request) line = null; how(); };
    request.open(method, url);
    for (const [name, value] of Object.entries({ "Tus-Resumable": "1.0.0", "X-CSRF-Token": csrf, ...headers })) {
      request.setRequestHeader(name, value);
    }
    request.upload.onprogress = (event) => { alive(); progress(Number(headers["Upload-Offset"] || 0) + event.loaded); };
    request.onload = end(() => go(request));
    request.onerror = request.onabort = end(() => fail(new Cut()));
    alive();
    request.send(body);
  });
}

const offsetOf = (answer) => Number(answer.getResponseHeader("Upload-Offset"));
const told = (answer) => { try { return JSON.parse(answer.responseText); } catch { return {}; } };

function judge(answer) {
  if (answer.status < 400) return;
  const { code, detail } = told(answer);
  if (code === "sign_in") location.assign("/kiosk");
  else if (code === "csrf") location.reload();
  else if (answer.status < 500 && ![408, 429, 460].includes(answer.status)) throw new Refused(detail || "");
  throw new Cut();
}

const base64 = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

async function begin(item) {
  const metadata = ["filename", "material", "replaces"].filter((key) => item[key]).map((key) => `${key} ${base64(item[key])}`);
  const answer = await call("POST", "/kiosk/case/uploads", {
    "Upload-Length": String(item.file.size), "Upload-Metadata": metadata.join(","), "Idempotency-Key": `${item.id}.${item.tries}`,
  });
  judge(answer);
  item.upload = answer.getResponseHeader("Location");
  await keep(item);
}

async function where(item) {
  const answer = await call("HEAD", item.upload);
  if (answer.status === 404) { // it expired
    item.upload = null;
    item.tries += 1;
    await begin(item);
    return 0;
  }
  judge(answer);
  return offsetOf(answer);
}

async function send(item) {
  if (!item.upload) await begin(item);
  let offset = await where(item);
  while (offset < item.file.size) {
    const headers = { "Upload-Offset": String(offset), "Content-Type": "application/offset+octet-stream" };
    const answer = await call("PATCH", item.upload, headers, item.file.slice(offset));
    if (answer.status === 404 || told(answer).code === "wrong_offset") { offset = await where(item); continue; }
    judge(answer);
    offset = offsetOf(answer);
  }
}

// The office sees what waits here; the oldest one's age is told, for this machine's clock may be wrong.
function tell() {
  const oldest = waiting.length ? Math.max(0, Math.round((Date.now() - Math.min(...waiting.map((item) => item.since))) / 1000)) : 0;
  const body = new URLSearchParams({ waiting: waiting.length, oldest_seconds: oldest });
  fetch("/kiosk/line", { method: "POST", headers: { "X-CSRF-Token": csrf }, body }).catch(() => {});
}

// ---- one after the other

const failures = [];
let busy = false;

function say(text, bad) {
  const said = document.createElement("p");
  said.textContent = text;
  if (bad) said.className = "bad-line";
  return said;
}

function show(...said) {
  sending.querySelector("[data-said]").replaceChildren(...failures.map((text) => say(text, true)), ...said);
  sending.querySelector("progress").hidden = !waiting.length;
}

function progress(bytes) {
  const bar = sending && sending.querySelector("progress");
  if (bar && waiting.length) { bar.max = waiting[0].file.size; bar.value = Math.min(bytes, bar.max); }
}

async function work() {
  if (busy) return;
  busy = true;
  let pages = 0;
  while (waiting.length) {
    const item = waiting[0];
    show(say(words.sending.replace("{name}", item.filename) + (waiting.length > 1 ? ` (${waiting.length})` : "")));
    try {
      await send(item);
      await drop(item);
      tell();
      pages += 1;
      if (document.getElementById("case")) htmx.ajax("GET", "/kiosk/case/status", "#case");
    } catch (error) {
      if (error instanceof Refused) {
        failures.push((error.message ? words.why : words.failed).replace("{name}", item.filename).replace("{why}", error.message));
        await drop(item);
      } else if (waiting.length) {
        if (!(error instanceof Cut)) console.warn(error);
        show(say(words.offline.replace("{n}", waiting.length), true));
        await new Promise((go) => { setTimeout(go, RETRY); addEventListener("online", go, { once: true }); });
        if (waiting.length > 1) waiting.push(waiting.shift()); // one that never gets through stops no other
      }
    }
  }
  show();
  busy = false;
  if (pages && !failures.length && document.getElementById("review")) location.assign("/kiosk/case/review");
}

async function drop(item) {
  waiting = waiting.filter((other) => other !== item);
  await forget(item);
}

const random = () => Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16).padStart(8, "0")).join("");

async function add(chosen, form) {
  failures.length = 0;
  const more = { material: form.elements.material?.value || "", replaces: form.elements.replaces?.value || "" };
  for (const file of chosen) {
    const item = { id: random(), number: words.case, since: Date.now(), tries: 0, upload: null, filename: file.name, file, ...more };
    waiting.push(item);
    try { await keep(item); } catch (error) { console.warn(error); } // the disk is full: it waits in this page only
  }
  if (navigator.onLine) tell();
  work();
}

if (sending) {
  recall(words.case).then(() => { if (waiting.length) tell(); return work(); });
  setInterval(() => { if (waiting.length && navigator.onLine) tell(); }, TELL);
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-uploader]");
    if (!form || event.target.type !== "file") return;
    add([...event.target.files], form);
    event.target.value = "";
  });
  for (const kind of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(kind, (event) => {
      const zone = document.querySelector("form.zone[data-uploader]");
      if (!zone) return;
      event.preventDefault();
      zone.classList.toggle("over", kind === "dragover");
      if (kind === "drop") add([...event.dataTransfer.files], zone);
    });
  }
  document.addEventListener("submit", (event) => {
    if (!waiting.length || !event.target.matches("form[action$='/submit']")) return;
    event.preventDefault();
    show(say(words.first.replace("{n}", waiting.length), true));
  });
}

// What asks again and again goes on once the line is back.
document.addEventListener("htmx:sendError", (event) => {
  const { verb, path } = event.detail.requestConfig;
  if (verb === "get") setTimeout(() => htmx.ajax("GET", path, event.detail.target), RETRY);
});

// ---- leaving

// The cookie tells the service to forget the citizen even if this page is gone before the line is back.
document.addEventListener("submit", async (event) => {
  if (!event.target.matches("form[action='/kiosk/leave']")) return;
  event.preventDefault();
  const bound = location.protocol === "https:";
  document.cookie = (bound ? "__Host-dp_leaving=1; path=/; Secure" : "dp_leaving=1; path=/kiosk") + "; SameSite=Strict";
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  document.querySelector("main").replaceChildren(say(document.body.dataset.leaving));
  await wipe();
  for (;;) {
    try {
      await fetch("/kiosk/leave", { method: "POST", headers: { "X-CSRF-Token": csrf }, redirect: "manual" });
      location.replace("/kiosk");
      return;
    } catch {
      await new Promise((go) => { setTimeout(go, RETRY); });
    }
  }
});
if (document.querySelector("[data-wipe]")) wipe();

// A question after some minutes without a touch, then the session ends.
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
  const clock = setInterval(() => {
    const over = (Date.now() - last) / 1000 - Number(idle.dataset.idleSeconds);
    if (over < 0) return;
    if (!idle.open) idle.showModal();
    idle.querySelector("[data-left]").textContent = Math.max(0, Math.ceil(grace - over));
    if (over < grace) return;
    clearInterval(clock);
    idle.querySelector("form[data-leave]").requestSubmit();
  }, 1000);
}

// ---- a reload while the line is down shows a page of ours, which goes on by itself

if (navigator.serviceWorker && document.body.dataset.worker) {
  navigator.serviceWorker.register(document.body.dataset.worker, { scope: "/kiosk" }).catch(() => {});
}
if (document.querySelector("[data-cut]")) {
  setInterval(() => fetch("/healthz", { cache: "no-store" }).then((answer) => answer.ok && location.reload(), () => {}), RETRY);
}
