import { checkToken, readList, readStatuses, Refused, statusOf, tokenIn } from "./verify.js";

const KEYS = "/.well-known/emk/keys.json";
const ROOT = "/.well-known/emk/root.cer";
const STATUS = "/.well-known/emk/status";

const OUTCOMES = {
  malformed: ["bad", "Это не код ЭМК Онлайн, или он повреждён", "Нужен код целиком: ссылка из QR со знаком # внутри. Короткая ссылка проверяется только с интернетом."],
  unknown_key: ["bad", "Ключ подписи неизвестен", "Этого ключа нет в списке, который хранит страница. Подключитесь к интернету, обновите список и проверьте снова."],
  key_withdrawn: ["bad", "Ключ подписи отозван", "Коду верить нельзя. Попросите показать новый код."],
  not_genuine: ["bad", "Подделка", "Подпись не сходится: код изменён или подписан не нами."],
  expired: ["bad", "Срок кода не идёт", "Подпись верна, но срок кода прошёл или ещё не начался. Попросите показать новый код."],
};
const AT_MAKING = {
  0: "действует",
  1: "просрочены исследования",
  2: "заменена новой версией",
  3: "ещё не получена владельцем",
  4: "срок прошёл",
  5: "приостановлена",
  6: "аннулирована",
};
const STATUS_WORDS = {
  revoked: ["bad", "Код закрыт или книжка аннулирована"],
  suspended: ["bad", "Книжка приостановлена"],
  superseded: ["warn", "Книжка заменена новой версией"],
};
const PROBLEMS = {
  malformed: "список повреждён",
  not_genuine: "подпись списка не сходится",
  from_future: "список из будущего: проверьте часы устройства",
  older: "список старее того, что уже есть",
};

const $ = (id) => document.getElementById(id);
const seconds = () => Math.floor(Date.now() / 1000);
const zone = { timeZone: "Europe/Moscow" };
const day = (at) => new Date(at * 1000).toLocaleDateString("ru-RU", zone);
const minute = (at) =>
  `${day(at)} ${new Date(at * 1000).toLocaleTimeString("ru-RU", { ...zone, hour: "2-digit", minute: "2-digit" })}`;

// What the page keeps: the root it saw first, the newest lists.
function opened() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open("emk-check", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("kept");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function kept(mode, act) {
  const database = await opened();
  try {
    return await new Promise((resolve, reject) => {
      const request = act(database.transaction("kept", mode).objectStore("kept"));
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  } finally {
    database.close();
  }
}

const load = (name) => kept("readonly", (store) => store.get(name));
const keep = (name, value) => kept("readwrite", (store) => store.put(value, name));

let list = null;
let statuses = null;

async function fetched(path) {
  const answer = await fetch(path, { cache: "no-cache" });
  if (!answer.ok) throw new TypeError(`${answer.status}`);
  return answer;
}

async function refresh() {
  list = (await load("list")) ?? null;
  statuses = (await load("statuses")) ?? null;
  let note = "";
  try {
    let root = await load("root");
    if (!root) {
      root = new Uint8Array(await (await fetched(ROOT)).arrayBuffer());
      await keep("root", root);
    }
    const text = await (await fetched(KEYS)).text();
    list = await readList(text, root, seconds(), list);
    await keep("list", list);
    const answer = await fetched(STATUS).catch(() => null);
    if (answer) {
      statuses = await readStatuses(await answer.text(), root, seconds(), statuses);
      await keep("statuses", statuses);
    }
  } catch (error) {
    if (error instanceof Refused) note = ` Новый список не принят: ${PROBLEMS[error.problem]}.`;
  }
  showList(note);
}

function showList(note) {
  const box = $("list");
  if (!list) {
    box.dataset.kind = "bad";
    box.textContent = `Списка ключей ещё нет. Откройте страницу один раз с интернетом.${note}`;
    return;
  }
  const stale = seconds() >= list.nextUpdate;
  box.dataset.kind = stale || note ? "warn" : "";
  const parts = [`Список ключей от ${minute(list.issued)} по Москве.`];
  if (stale) parts.push("Он устарел: подключитесь к интернету, чтобы обновить.");
  if (statuses) parts.push(`Список отозванных от ${minute(statuses.issued)}.`);
  box.textContent = parts.join(" ") + note;
}

function line(name, value) {
  const row = document.createElement("div");
  const term = document.createElement("dt");
  const said = document.createElement("dd");
  term.textContent = name;
  said.textContent = value;
  row.append(term, said);
  return row;
}

function show(kind, title, text, lines = []) {
  const box = $("result");
  box.dataset.kind = kind;
  $("title").textContent = title;
  $("text").textContent = text;
  $("facts").replaceChildren(...lines.map(([name, value]) => line(name, value)));
  box.hidden = false;
  box.focus();
}

function shortHash(hash) {
  return hash.slice(0, 16).toUpperCase().match(/.{4}/g).join("-");
}

function bookNumber(number) {
  return number.replace(/^(\d\d)(\d\d)(\d{6})(\d\d)$/, "$1-$2-$3-$4");
}

async function check(text) {
  if (!text.trim()) {
    $("error").textContent = "Вставьте ссылку или код.";
    $("error").hidden = false;
    $("code").setAttribute("aria-invalid", "true");
    $("code").focus();
    return;
  }
  $("error").hidden = true;
  $("code").removeAttribute("aria-invalid");
  if (!list) {
    show("bad", "Проверить пока нельзя", "Списка ключей ещё нет. Откройте страницу один раз с интернетом.");
    return;
  }
  const found = await checkToken(tokenIn(text), list.keys, seconds());
  if (found.outcome !== "genuine") {
    show(...OUTCOMES[found.outcome]);
    return;
  }
  const said = found.claims;
  const lines = [
    ["Имя", said.name ?? "не показано владельцем"],
    ...(said.year ? [["Год рождения", String(said.year)]] : []),
    ["Номер книжки", bookNumber(said.number)],
    ["Версия", String(said.version)],
    ...(said.categories.length ? [["Пункты приказа 29н", said.categories.join(", ")]] : []),
    ["Когда код создан", `${minute(said.iat)}, книжка тогда: ${AT_MAKING[said.verdict] ?? "неизвестно"}`],
    ["Код годен до", minute(said.exp)],
    ["Отпечаток", shortHash(said.hash)],
  ];
  const status = statuses ? statusOf(said, statuses) : "valid";
  if (status !== "valid") {
    const [kind, title] = STATUS_WORDS[status];
    show(kind, title, `Подпись верна, но так говорит список отозванных на ${minute(statuses.issued)}.`, lines);
    return;
  }
  const about = statuses
    ? `Статус на ${minute(statuses.issued)}: не отозвана. Что изменилось позже, без интернета узнать нельзя.`
    : "Отозвана ли книжка, без интернета узнать нельзя.";
  const stale = seconds() >= list.nextUpdate ? " Список ключей устарел." : "";
  const kind = said.verdict === 0 && !stale ? "good" : "warn";
  show(kind, "Подпись верна", `${about}${stale} Сверьте имя и год рождения с паспортом.`, lines);
}

// The camera and pictures; the reader is loaded when it is wanted, and kept where it will be.
const scanning = () => import("./emk-scan.js");

async function scan() {
  const { start } = await scanning();
  start($("camera"), check, "Код прочитан.");
}

async function picture(input) {
  const [file] = input.files;
  if (!file) return;
  // The same picture may be chosen again.
  input.value = "";
  try {
    const { readPicture } = await scanning();
    const text = await readPicture(file);
    if (text) await check(text);
    else show("bad", "На снимке нет кода", "Снимите код целиком, без бликов, или вставьте его текстом.");
  } catch {
    show("bad", "Снимок не прочитан", "Выберите снимок в JPEG или PNG, или вставьте код текстом.");
  }
}

// A browser that reads codes by itself does not need the decoder and does not load it.
async function keepReader(worker) {
  const { hasOwnDetector } = await scanning();
  if (await hasOwnDetector()) return;
  await new Promise((resolve, reject) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }) => (data ? resolve() : reject(new Error("reader")));
    worker.postMessage("keep the reader", [port2]);
  });
}

function showNetwork() {
  $("network").textContent = navigator.onLine
    ? "Интернет есть: самый полный ответ даёт обычная проверка."
    : "Интернета нет: проверяется подпись кода.";
}

$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  check($("code").value);
});
$("code").addEventListener("paste", () => setTimeout(() => check($("code").value)));
$("scan").hidden = !navigator.mediaDevices?.getUserMedia;
$("scan").addEventListener("click", scan);
$("camera").querySelector("[data-scan-stop]").addEventListener("click", () =>
  scanning().then(({ stop }) => stop()));
$("picture").addEventListener("change", (event) => picture(event.target));
addEventListener("online", () => { showNetwork(); refresh(); });
addEventListener("offline", showNetwork);
showNetwork();

async function begin() {
  await refresh();
  if ("serviceWorker" in navigator) {
    await navigator.serviceWorker.register("/check/offline/worker.js", { scope: "/check/offline" });
    const { active } = await navigator.serviceWorker.ready;
    await keepReader(active).catch(() => { $("unread").hidden = false; });
    $("ready").hidden = false;
  }
}

begin();
