/* The open page of a verdict: says at once when the book is revoked, suspended or replaced, and since
   when it dates while the service can't be asked. The page is complete without it. */
"use strict";

(() => {
  const block = () => document.querySelector("[data-live]");
  const said = document.querySelector("[data-said]");
  if (!block() || !said) return;

  /* What stands behind # was signed by us and never reaches the server: this browser checks it. */
  const CODE = {
    same: "Подпись QR-кода проверена в этом браузере: отпечаток в нём тот же.",
    other: (version) =>
      `QR-код подписан нами, но в нём отпечаток версии ${version}. Верно то, что сказано на этой странице.`,
    apart: "Подпись QR-кода не от этой ссылки: код собран из двух. Попросите показать свежий код.",
    forged: "Подпись QR-кода не прошла проверку. Верно то, что сказано на этой странице.",
    expired: "Подпись QR-кода уже не действует. Верно то, что сказано на этой странице.",
  };
  const outcomeOf = async () => {
    const { checkToken, readList, tokenIn } = await import("/check/offline/verify.js");
    const fetched = async (name) => {
      const answer = await fetch(`/.well-known/emk/${name}`);
      if (!answer.ok) throw new Error(name);
      return answer;
    };
    const root = new Uint8Array(await (await fetched("root.cer")).arrayBuffer());
    const now = Math.floor(Date.now() / 1000);
    const list = await readList(await (await fetched("keys.json")).text(), root, now, null);
    const { outcome, claims } = await checkToken(tokenIn(location.hash), list.keys, now);
    if (outcome !== "genuine") return outcome === "expired" ? CODE.expired : CODE.forged;
    const share = location.pathname.replace(/\/$/, "").split("/").pop().toUpperCase();
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(share));
    if (!claims.shareId.every((byte, at) => byte === new Uint8Array(digest)[at])) return CODE.apart;
    const shown = block().querySelector("[data-hash]")?.textContent;
    return !shown || shown === claims.hash ? CODE.same : CODE.other(claims.version);
  };
  const code = document.querySelector("[data-code]");
  if (code && location.hash.length > 1 && window.crypto?.subtle)
    outcomeOf().then(
      (text) => {
        code.textContent = text;
        code.hidden = false;
      },
      /* Without the list nothing can be said of the code, and the page says all there is to know. */
      () => {},
    );

  if (!window.EventSource) return;

  let source = null;
  let again = 0;
  let isLost = false;
  const say = (text) => {
    said.textContent = text;
    said.hidden = !text;
  };
  const since = () => block().querySelector("[data-checked]")?.textContent ?? "";

  const close = () => {
    clearTimeout(again);
    source?.close();
    source = null;
  };
  const open = () => {
    close();
    source = new EventSource(block().dataset.live);
    source.addEventListener("checked", (event) => {
      const moment = block().querySelector("[data-checked]");
      if (moment) moment.textContent = JSON.parse(event.data);
      if (isLost) say("");
      isLost = false;
    });
    source.addEventListener("verdict", (event) => {
      const { html, word } = JSON.parse(event.data);
      const fresh = document.createElement("template");
      fresh.innerHTML = html;
      block().replaceWith(fresh.content);
      say(`Состояние изменилось: ${word.toLowerCase()}.`);
      isLost = false;
      /* What the browser opens again by itself has to begin with what is shown now. */
      open();
    });
    source.onerror = () => {
      isLost = true;
      say(`Нет связи с сервисом. Показано то, что было известно в ${since()}. Проверим снова, как только связь вернётся.`);
      /* A refusal ends the stream for good: the limit of an address passes, a ticket does not. */
      if (source?.readyState === EventSource.CLOSED) again = setTimeout(open, 60000);
    };
  };

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return close();
    isLost = true;
    say(`Показано то, что было известно в ${since()}. Проверяем снова…`);
    open();
  });
  window.addEventListener("pageshow", (event) => event.persisted && open());
  if (!document.hidden) open();
})();
