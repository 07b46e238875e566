// Keeps the page of the check without a network, and nothing else of the site.

const CACHE = "emk-check-__VERSION__";
const FILES = __FILES__;
// The decoder is large: it is kept only for the browsers that ask for it.
const READER = __READER__;

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches.open(CACHE)
      .then((cache) => cache.addAll(FILES.map((path) => new Request(path, { cache: "reload" }))))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches.keys()
      .then((names) => names.filter((name) => name.startsWith("emk-check-") && name !== CACHE))
      .then((names) => Promise.all(names.map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("message", (event) => {
  const kept = caches.open(CACHE).then(async (cache) => {
    for (const path of READER) if (!(await cache.match(path))) await cache.add(path);
  });
  const [port] = event.ports;
  event.waitUntil(kept.then(() => port.postMessage(true), () => port.postMessage(false)));
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (!FILES.includes(url.pathname) && !READER.includes(url.pathname)) return;
  event.respondWith(
    caches.open(CACHE)
      .then((cache) => cache.match(url.pathname))
      .then((found) => found ?? fetch(event.request)),
  );
});
