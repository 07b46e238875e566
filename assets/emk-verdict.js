/* The open page of a verdict: says at once when the book is revoked, suspended or replaced, and since
   when it dates while the service can't be asked. The page is complete without it. */
"use strict";

(() => {
  const block = () => document.querySelector("[data-live]");
  const said = document.querySelector("[data-said]");
  if (!block() || !said || !window.EventSource) return;

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
