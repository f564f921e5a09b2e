// Shows the kiosk's page for a cut line in place of the browser's own; everything else goes to the service as ever.
"use strict";

const PAGE = "/kiosk/offline";

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(caches.open("docproc-kiosk").then((cache) => cache.add(PAGE)));
});
addEventListener("activate", (event) => event.waitUntil(clients.claim()));
addEventListener("fetch", (event) => {
  if (event.request.mode !== "navigate" || event.request.method !== "GET") return;
  event.respondWith(fetch(event.request).catch(async () => (await caches.match(PAGE)) || Response.error()));
});
