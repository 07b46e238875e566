/* Small things a browser does by itself once asked: files, clipboard, dialogs, print, focus.
   One listener per kind of event on the document, so it works before React has started, after it
   has redrawn, and on pages it never touches. Loaded with `defer` from our own origin. */
"use strict";

(() => {
  const one = (node, selector) => node.querySelector(selector);
  const near = (event, selector) =>
    event.target instanceof Element ? event.target.closest(selector) : null;
  const say = (text) => {
    let region = document.getElementById("emk-said");
    if (!region) {
      region = document.createElement("div");
      region.id = "emk-said";
      region.className = "e-hidden";
      region.setAttribute("role", "status");
      document.body.append(region);
    }
    region.textContent = "";
    setTimeout(() => (region.textContent = text), 50);
  };

  /* Files */

  const uploads = new WeakMap();
  const WORDS = {
    large: (limit) => `Файл слишком большой. ${limit}.`,
    kind: "Нужен PDF или JPEG. Сохраните документ в одном из этих видов и выберите его снова.",
    empty: "Файл пустой. Выберите другой.",
    none: "Выберите файл.",
    tooLarge: "Файл слишком большой. Выберите другой.",
    offline: "Файл не отправлен: нет связи с сервером. Проверьте интернет и выберите файл ещё раз.",
    signedOut: "Вы вышли из системы. Войдите снова и выберите файл ещё раз.",
    many: "Слишком много попыток. Подождите минуту и выберите файл ещё раз.",
    failed: "Файл не принят. Выберите его ещё раз; если не поможет, напишите в поддержку.",
  };
  const UNSAVED = {
    offline: "Файл не дошёл целиком: связь прервалась. Проверьте интернет и нажмите кнопку ещё раз.",
    slow: "Файл готовится слишком долго. Сузьте список фильтрами или нажмите кнопку ещё раз.",
    signedOut: "Вы вышли из системы. Войдите снова и нажмите кнопку ещё раз.",
    many: "Слишком много попыток. Подождите минуту и нажмите кнопку ещё раз.",
    failed: "Файл не получился. Нажмите кнопку ещё раз; если не поможет, напишите в поддержку.",
  };

  const refuse = (field, text) => {
    const target = one(field, "[data-file-refusal]");
    if (!target) return;
    target.textContent = text;
    target.parentElement.hidden = !text;
    field.toggleAttribute("data-refused", Boolean(text));
  };
  const show = (field, text, percent) => {
    const box = one(field, "[data-file-progress]");
    /* What the server did with the file may have put something else in the place of the field. */
    if (!box) return;
    box.hidden = !text;
    one(field, "[data-file-status]").textContent = text;
    const bar = one(box, "progress");
    const running = percent !== null;
    bar.hidden = !running;
    one(box, "[data-file-stop]").hidden = !running;
    if (running) bar.value = percent;
  };
  const fits = (field, input, file) => {
    if (!file.size) return WORDS.empty;
    if (file.size > Number(field.dataset.limit)) return WORDS.large(field.dataset.limitText);
    /* What is a table is told by what stands in it: each system calls it another kind. */
    if ("uploadBare" in field.dataset) return "";
    const kinds = input.accept.split(",").map((kind) => kind.trim());
    return file.type && !kinds.includes(file.type) ? WORDS.kind : "";
  };
  const refusal = (request, field) => {
    let said = {};
    try {
      said = JSON.parse(request.responseText);
    } catch {
      /* A proxy may answer with a page of its own. */
    }
    /* The number of a fault stands in its message; a file of the wrong kind needs none. */
    return (
      said.message ||
      { 401: WORDS.signedOut, 413: WORDS.large(field.dataset.limitText), 429: WORDS.many }[
        request.status
      ] ||
      WORDS.failed
    );
  };
  const send = (field, input, file) => {
    uploads.get(field)?.abort();
    const wrong = fits(field, input, file);
    input.value = "";
    refuse(field, wrong);
    show(field, "", null);
    if (wrong) return;

    const isBare = "uploadBare" in field.dataset;
    const body = isBare ? file : new FormData();
    if (!isBare) {
      for (const name of JSON.parse(field.dataset.uploadFields || "[]"))
        body.append(name, field.getAttribute(`data-upload-${name}`));
      body.append("scan", file, file.name);
    }

    const request = new XMLHttpRequest();
    uploads.set(field, request);
    show(field, `Отправляем «${file.name}»`, 0);
    request.upload.onprogress = (event) => {
      if (!event.lengthComputable) return;
      const percent = Math.round((event.loaded / event.total) * 100);
      show(field, percent < 100 ? `Отправляем «${file.name}»` : "Проверяем файл…", percent);
    };
    request.onload = () => {
      const taken = request.status >= 200 && request.status < 300;
      show(field, taken ? `«${file.name}» загружен` : "", null);
      if (!taken) refuse(field, refusal(request, field));
      else setTimeout(() => uploads.get(field) === request && show(field, "", null), 4000);
    };
    request.onerror = request.ontimeout = () => {
      show(field, "", null);
      refuse(field, WORDS.offline);
    };
    request.onabort = () => uploads.get(field) === request && show(field, "", null);
    request.timeout = isBare ? 900000 : 120000;
    request.open("POST", field.dataset.uploadUrl + (isBare ? `?name=${encodeURIComponent(file.name)}` : ""));
    request.setRequestHeader("Accept", "application/json");
    request.send(body);
  };

  document.addEventListener("change", (event) => {
    const input = near(event, "[data-upload-url] [data-file]");
    if (input?.files[0]) send(input.closest("[data-upload-url]"), input, input.files[0]);
  });
  for (const kind of ["dragenter", "dragover", "dragleave", "drop"])
    document.addEventListener(kind, (event) => {
      near(event, ".e-drop")?.toggleAttribute("data-over", kind === "dragenter" || kind === "dragover");
      /* A file dropped beside the field must not replace the page. */
      if (kind === "dragover" || kind === "drop")
        if (!near(event, "input[type=file]")) event.preventDefault();
    });

  /* Forms whose files go along with words, such as a password, and are not shown afterwards. */

  const pick = (input) => {
    const field = input.closest(".e-field");
    const shown = one(field, "[data-picked]");
    const file = input.files[0];
    shown.textContent = file ? file.name : shown.dataset.picked;
    one(field, "[data-unpicked]").hidden = Boolean(file);
  };
  const tell = (form, code, text) => {
    const places = [...form.querySelectorAll("[data-refusal]")];
    const place =
      places.find((each) => code && [...each.dataset.refusal.split(" "), each.dataset.refusalOf].includes(code)) ||
      places.at(-1);
    for (const each of places) {
      const here = text && each === place;
      each.hidden = !here;
      one(each, "[data-refusal-text]").textContent = here ? text : "";
      const control = document.getElementById(each.dataset.refusalOf);
      control?.setAttribute("aria-invalid", String(here));
      control?.closest(".e-field")?.toggleAttribute("data-refused", Boolean(here));
      if (here) control?.focus();
    }
  };
  const emptied = (form) => {
    form.reset();
    form.querySelectorAll("[data-pick]").forEach(pick);
  };
  const unsendable = (form) => {
    for (const input of form.querySelectorAll("[data-pick]")) {
      const [file] = input.files;
      const text = file
        ? file.size
          ? file.size > Number(input.dataset.limit) && WORDS.large(input.dataset.limitText)
          : WORDS.empty
        : "needed" in input.dataset && WORDS.none;
      if (text) return [input.id, text];
    }
    return null;
  };
  const sendAll = (form) => {
    const wrong = unsendable(form);
    tell(form, "", "");
    if (wrong) return tell(form, ...wrong);
    const button = one(form, '[type="submit"]');
    const status = one(form, "[data-sending]");
    const stop = () => {
      button.removeAttribute("aria-busy");
      status.textContent = "";
    };
    const request = new XMLHttpRequest();
    request.onload = () => {
      stop();
      if (request.status >= 200 && request.status < 300) return emptied(form);
      let said = {};
      try {
        said = JSON.parse(request.responseText);
      } catch {
        /* A proxy may answer with a page of its own. */
      }
      /* A password that was wrong is typed anew; a file that was right need not be found again. */
      form.querySelectorAll("[type=password]").forEach((input) => (input.value = ""));
      const known = { 401: WORDS.signedOut, 413: WORDS.tooLarge, 429: WORDS.many };
      tell(form, said.code, said.message || known[request.status] || WORDS.failed);
    };
    request.onerror = request.ontimeout = () => {
      stop();
      tell(form, "", WORDS.offline);
    };
    request.timeout = 120000;
    request.open("POST", form.dataset.sendUrl);
    request.setRequestHeader("Accept", "application/json");
    button.setAttribute("aria-busy", "true");
    status.textContent = status.dataset.sending;
    request.send(new FormData(form));
  };
  document.addEventListener("change", (event) => {
    const input = near(event, "[data-send-url] [data-pick]");
    if (!input) return;
    pick(input);
    tell(input.form, "", "");
  });
  document.addEventListener(
    "submit",
    (event) => {
      const form = near(event, "form[data-send-url]");
      if (!form) return;
      event.preventDefault();
      event.stopPropagation();
      sendAll(form);
    },
    true,
  );

  /* Files that the server makes: the button says so meanwhile, and no other is begun. Without
     this the link is a link, and the browser saves the file with nothing said. */

  const STALLED = 120000;
  const megabytes = (bytes) => (bytes / 1048576).toFixed(1).replace(".", ",");
  const nameIn = (headers) => {
    const found = /filename\*=UTF-8''([^;]+)/.exec(headers.get("Content-Disposition") || "");
    return found ? decodeURIComponent(found[1]) : "";
  };
  const receive = async (address, told) => {
    const stop = new AbortController();
    let patience;
    const wait = () => {
      clearTimeout(patience);
      patience = setTimeout(() => stop.abort(), STALLED);
    };
    wait();
    try {
      const answer = await fetch(address, { signal: stop.signal });
      if (!answer.ok) {
        const said = await answer.json().catch(() => ({}));
        const known = { 401: UNSAVED.signedOut, 429: UNSAVED.many }[answer.status];
        return { refusal: known || said.message || UNSAVED.failed };
      }
      const parts = [];
      const reader = answer.body.getReader();
      for (let size = 0; ; ) {
        const { done, value } = await reader.read();
        if (done) break;
        wait();
        parts.push(value);
        size += value.length;
        told(size);
      }
      const type = answer.headers.get("Content-Type") || "application/octet-stream";
      return { file: new Blob(parts, { type }), name: nameIn(answer.headers) };
    } catch {
      return { refusal: stop.signal.aborted ? UNSAVED.slow : UNSAVED.offline };
    } finally {
      clearTimeout(patience);
    }
  };
  const save = async (anchor) => {
    const group = anchor.closest("[data-saves]");
    const [status, refused] = [one(group, "[data-saves-status]"), one(group, "[data-saves-refusal]")];
    const others = [...group.querySelectorAll("a[data-save]")].filter((each) => each !== anchor);
    const refuseSaving = (text) => {
      refused.textContent = text;
      refused.parentElement.hidden = !text;
    };
    refuseSaving("");
    status.textContent = "Готовим файл…";
    group.setAttribute("data-saving", "");
    anchor.setAttribute("aria-busy", "true");
    others.forEach((each) => each.setAttribute("aria-disabled", "true"));
    let shown = 0;
    const { file, name, refusal: why } = await receive(anchor.href, (size) => {
      /* Said at most once a second: a screen reader reads each change out. */
      if (performance.now() - shown < 1000 || size < 524288) return;
      shown = performance.now();
      status.textContent = `Готовим файл: ${megabytes(size)} МБ…`;
    });
    group.removeAttribute("data-saving");
    anchor.removeAttribute("aria-busy");
    others.forEach((each) => each.removeAttribute("aria-disabled"));
    status.textContent = why ? "" : `Файл «${name || "список"}» готов: он среди загрузок браузера.`;
    if (why) return refuseSaving(why);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(file);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000);
  };

  /* Clicks */

  /* A busy button keeps the focus and takes no second press. On window: before React hears of it. */
  for (const kind of ["click", "submit"])
    window.addEventListener(
      kind,
      (event) => {
        const busy =
          kind === "click"
            ? near(event, '[aria-busy="true"]')
            : one(event.target, '[type="submit"][aria-busy="true"]');
        if (!busy) return;
        event.preventDefault();
        event.stopImmediatePropagation();
      },
      true,
    );

  const copy = async (text) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.createElement("textarea");
      area.value = text;
      area.style.position = "fixed";
      (document.querySelector("dialog[open]") || document.body).append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      if (!done) throw new Error("no clipboard");
    }
  };
  const openers = new WeakMap();

  /* A file's name stands beside its button, which is ours: the browser's speaks its own language. */
  document.addEventListener("change", (event) => {
    const name = near(event, ".e-pick input")?.closest(".e-pick").querySelector("[data-picked]");
    const [file] = event.target.files ?? [];
    if (name && file) name.textContent = file.name;
  });

  document.addEventListener("click", (event) => {
    let found;
    if ((found = near(event, "[data-copy]"))) {
      const button = found;
      copy(button.dataset.copy).then(
        () => {
          button.dataset.state = "done";
          say(button.dataset.copied);
          setTimeout(() => delete button.dataset.state, 2500);
        },
        () => say("Не удалось скопировать. Выделите текст и скопируйте его сами."),
      );
    } else if ((found = near(event, "[data-share]"))) {
      navigator.share({ url: found.dataset.share, title: found.dataset.shareTitle }).catch(() => {});
    } else if (near(event, "[data-print]")) {
      window.print();
    } else if ((found = near(event, "[data-scan-start]"))) {
      const box = found.closest("[data-scan]");
      import("/emk-scan.js").then(
        (scan) => {
          const field = document.getElementById(box.dataset.scan);
          const fill = (text) => {
            field.value = text;
            field.focus();
          };
          return field ? scan.start(box, fill, "Код прочитан, ссылка в поле.") : scan.start(box);
        },
        () => (one(box, "[data-scan-said]").textContent = "Нет связи. Нажмите кнопку ещё раз."),
      );
    } else if (near(event, "[data-scan-stop]")) {
      import("/emk-scan.js").then((scan) => scan.stop());
    } else if ((found = near(event, "[data-passkey]"))) {
      const button = found;
      import("/emk-passkey.js").then(
        (passkey) => passkey.use(button),
        () => say("Нет связи. Нажмите кнопку ещё раз."),
      );
    } else if ((found = near(event, "[data-reveal]"))) {
      const input = document.getElementById(found.dataset.reveal);
      const shown = input.type === "password";
      input.type = shown ? "text" : "password";
      found.setAttribute("aria-pressed", String(shown));
    } else if ((found = near(event, "[data-file-stop]"))) {
      const field = found.closest("[data-upload-url]");
      uploads.get(field)?.abort();
      one(field, "[data-file]").focus();
    } else if ((found = near(event, "[data-saves] a[data-save]"))) {
      /* Whoever wants another tab gets it. */
      if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
      event.preventDefault();
      if (!found.closest("[data-saving]")) save(found);
    } else if ((found = near(event, "[data-error-summary] a"))) {
      const id = found.hash.slice(1);
      const target =
        document.getElementById(id) || document.getElementsByName(id.replace("field-", ""))[0];
      if (target) {
        event.preventDefault();
        target.closest(".e-field")?.scrollIntoView({ block: "start" });
        target.focus({ preventScroll: true });
      }
    }

    if ((found = near(event, "[data-dialog-open]"))) {
      const dialog = document.getElementById(found.dataset.dialogOpen);
      if (dialog && !dialog.open) {
        openers.set(dialog, found);
        dialog.showModal();
        one(dialog, "[data-dialog-first]")?.focus();
        if (dialog.hasAttribute("data-full")) enterFull(dialog);
        const keys = one(dialog, "[data-keys-switch]");
        if (keys) keys.checked = isOn();
      }
    } else if ((found = near(event, "[data-dialog-close]"))) {
      found.closest("dialog")?.close();
    } else if (event.target instanceof HTMLDialogElement) {
      const box = event.target.getBoundingClientRect();
      const outside =
        event.clientX < box.left || event.clientX > box.right ||
        event.clientY < box.top || event.clientY > box.bottom;
      if (outside && event.detail) event.target.close();
    }
    if (near(event, ".e-menu a")) document.querySelector(".e-menu:popover-open")?.hidePopover();
  });
  document.addEventListener(
    "close",
    (event) => {
      const opener = openers.get(event.target);
      if (opener?.isConnected) opener.focus();
      if (event.target === full) leaveFull();
    },
    true,
  );

  /* A code over the whole screen: the screen stays awake, and «back» closes the code, not the page.
     The router knows nothing of our step in the history: it must not see it end. */

  let full = null;
  let awake = null;
  let isLeaving = false;
  const stayAwake = () => {
    navigator.wakeLock?.request("screen").then(
      (lock) => (full ? (awake = lock) : lock.release()),
      () => {},
    );
  };
  const enterFull = (dialog) => {
    full = dialog;
    history.pushState({ ...history.state, full: true }, "");
    stayAwake();
  };
  const leaveFull = () => {
    full = null;
    awake?.release();
    awake = null;
    if (history.state?.full) {
      isLeaving = true;
      history.back();
    }
  };
  addEventListener(
    "popstate",
    (event) => {
      if (!full && !isLeaving) return;
      event.stopImmediatePropagation();
      isLeaving = false;
      full?.close();
    },
    true,
  );
  document.addEventListener("visibilitychange", () => full && !document.hidden && stayAwake());

  /* Keys */

  const setValue = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;

  document.addEventListener(
    "input",
    (event) => {
      const input = near(event, "[data-mask]");
      if (!input || event.inputType?.startsWith("delete")) return;
      const { mask } = input.dataset;
      const text = input.value;
      if (input.selectionStart !== text.length) return;
      let shaped = "";
      for (const sign of text) {
        while (mask[shaped.length] && mask[shaped.length] !== "0" && mask[shaped.length] !== sign)
          shaped += mask[shaped.length];
        /* What does not fit the mask is left as typed: the server will say what it makes of it. */
        if (!mask[shaped.length] || (mask[shaped.length] === "0") !== /\d/.test(sign)) return;
        shaped += sign;
      }
      /* Past React's own setter, so that it still notices the change. */
      if (shaped !== text) setValue.call(input, shaped);
    },
    true,
  );
  /* From the search to what it has found and back: Enter then chooses, as on any button. */
  document.addEventListener("keydown", (event) => {
    const group = near(event, "[data-arrows]");
    const here = near(event, "input[type=search], [data-arrow-stop]");
    if (!group || !here || event.isComposing || event.altKey || event.ctrlKey || event.metaKey) return;
    const stops = [...group.querySelectorAll("input[type=search], [data-arrow-stop]")];
    const isSearch = here.type === "search";
    const step =
      event.key === "ArrowDown" || (event.key === "Enter" && isSearch)
        ? 1
        : event.key === "ArrowUp"
          ? -1
          : 0;
    const next =
      event.key === "Escape" && !isSearch ? stops[0] : step && stops[stops.indexOf(here) + step];
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    const group = near(event, "[data-enter-next]");
    const here = near(event, "input:not([type=checkbox], [type=file]), select");
    if (!group || !here) return;
    const fields = [...group.querySelectorAll("input, select, textarea, button[type=submit]")].filter(
      (field) =>
        field === here ||
        (!field.disabled && field.offsetParent && !field.hasAttribute("data-enter-skip")),
    );
    /* The other answers of the same question are reached by the arrows. */
    const next = fields
      .slice(fields.indexOf(here) + 1)
      .find((field) => here.type !== "radio" || field.name !== here.name);
    event.preventDefault();
    /* The last one is left all the same, since it is saved as it is left. */
    if (!next) return here.blur();
    next.focus();
    if (next instanceof HTMLInputElement && next.type === "text") next.select();
  });

  /* Shortcuts: a key presses the button that names it, unless somebody types or a dialog is open.
     They can be switched off, as WCAG 2.1.4 asks of keys without a modifier. */

  const SWITCH = "emk-keys";
  const isOn = () => localStorage.getItem(SWITCH) !== "off";
  const types = (node) =>
    node instanceof HTMLElement &&
    (node.isContentEditable || node.matches("input:not([type=checkbox]), textarea, select"));
  const scrolls = (node) =>
    node instanceof HTMLElement &&
    node.matches("[data-viewer-stage]") &&
    node.scrollWidth > node.clientWidth;

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.repeat || event.isComposing) return;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (types(event.target) || document.querySelector("dialog[open]")) return;
    const code = event.key === "?" ? "?" : event.code;
    if (event.shiftKey && code !== "?" && code !== "Equal") return;
    if (code.startsWith("Arrow") && scrolls(event.target)) return;
    if (code !== "?" && !isOn()) return;
    const button = [...document.querySelectorAll(`[data-key~="${CSS.escape(code)}"]`)].find(
      (each) => !each.disabled && each.checkVisibility(),
    );
    if (!button) return;
    event.preventDefault();
    button.click();
  });
  document.addEventListener("change", (event) => {
    const box = near(event, "[data-keys-switch]");
    if (!box) return;
    if (box.checked) localStorage.removeItem(SWITCH);
    else localStorage.setItem(SWITCH, "off");
  });

  /* What is typed, shown elsewhere in the same form. */

  document.addEventListener("input", (event) => {
    const typed = event.target;
    const shown =
      typed.name && typed.form && one(typed.form, `[data-mirror="${CSS.escape(typed.name)}"]`);
    if (shown) shown.textContent = typed.value;
  });

  /* Papers: which page is shown, how large, which way up. Kept here, never sent. */

  const views = new WeakMap();
  const LARGEST = 8;
  const viewOf = (viewer) => {
    if (!views.has(viewer)) {
      const stage = one(viewer, "[data-viewer-stage]");
      views.set(viewer, { page: null, zoom: 1, turns: new WeakMap() });
      new ResizeObserver(() => place(viewer)).observe(stage);
    }
    return views.get(viewer);
  };
  const pagesOf = (viewer) => [...viewer.querySelectorAll("[data-viewer-page]")];
  const place = (viewer) => {
    const view = viewOf(viewer);
    const { page } = view;
    if (!page?.naturalWidth) return;
    const stage = one(viewer, "[data-viewer-stage]");
    const canvas = one(viewer, "[data-viewer-canvas]");
    const turn = view.turns.get(page) || 0;
    const lies = turn % 180 !== 0;
    const wide = lies ? page.naturalHeight : page.naturalWidth;
    const high = lies ? page.naturalWidth : page.naturalHeight;
    const whole = Math.min(stage.clientWidth / wide, stage.clientHeight / high);
    const scale = whole * view.zoom;
    /* What was in the middle stays there. */
    const x = (stage.scrollLeft + stage.clientWidth / 2) / (canvas.offsetWidth || 1);
    const y = (stage.scrollTop + stage.clientHeight / 2) / (canvas.offsetHeight || 1);
    canvas.style.width = view.zoom > 1 ? `${wide * scale}px` : "";
    canvas.style.height = view.zoom > 1 ? `${high * scale}px` : "100%";
    page.style.width = `${page.naturalWidth * scale}px`;
    page.style.height = `${page.naturalHeight * scale}px`;
    page.style.transform = `translate(-50%, -50%) rotate(${turn}deg)`;
    stage.toggleAttribute("data-pannable", view.zoom > 1);
    stage.scrollLeft = x * canvas.offsetWidth - stage.clientWidth / 2;
    stage.scrollTop = y * canvas.offsetHeight - stage.clientHeight / 2;
  };
  const showPage = (viewer, page) => {
    const view = viewOf(viewer);
    const pages = pagesOf(viewer);
    const at = Math.max(pages.indexOf(page), 0);
    view.page = pages[at] || null;
    view.zoom = 1;
    if (!view.page) return;
    for (const each of pages) each.toggleAttribute("data-shown", each === view.page);
    const ref = view.page.dataset.viewerPage;
    for (const tab of viewer.querySelectorAll(".e-tab"))
      tab.setAttribute("aria-pressed", String(tab.dataset.viewerShow === ref));
    const own = pages.filter((each) => each.dataset.viewerPage === ref);
    one(viewer, "[data-viewer-where]").textContent =
      `${view.page.dataset.viewerLabel}: ${own.indexOf(view.page) + 1} из ${own.length}`;
    one(viewer, '[data-viewer-act="prev"]').disabled = at === 0;
    one(viewer, '[data-viewer-act="next"]').disabled = at === pages.length - 1;
    if (view.page.complete) place(viewer);
    else view.page.addEventListener("load", () => place(viewer), { once: true });
  };
  const act = (viewer, name) => {
    const view = viewOf(viewer);
    const pages = pagesOf(viewer);
    const at = pages.indexOf(view.page);
    if (name === "prev" || name === "next") {
      const page = pages[at + (name === "next" ? 1 : -1)];
      if (page) showPage(viewer, page);
      return;
    }
    if (name === "turn") view.turns.set(view.page, ((view.turns.get(view.page) || 0) + 90) % 360);
    if (name === "in") view.zoom = Math.min(view.zoom * 1.5, LARGEST);
    if (name === "out") view.zoom = Math.max(view.zoom / 1.5, 1);
    if (name === "fit") view.zoom = 1;
    place(viewer);
  };
  /* Scans come and go while the page is open. */
  const review = () => {
    for (const viewer of document.querySelectorAll("[data-viewer]")) {
      const pages = pagesOf(viewer);
      const { page } = viewOf(viewer);
      if (pages.length && !pages.includes(page)) showPage(viewer, pages[0]);
    }
  };

  document.addEventListener("click", (event) => {
    let found;
    if ((found = near(event, "[data-viewer-act]"))) {
      act(found.closest("[data-viewer]"), found.dataset.viewerAct);
    } else if ((found = near(event, "[data-viewer-show]"))) {
      const viewer = found.closest("[data-viewer]") || document.querySelector("[data-viewer]");
      const ref = found.dataset.viewerShow;
      const page = viewer && pagesOf(viewer).find((each) => each.dataset.viewerPage === ref);
      if (!page) return;
      showPage(viewer, page);
      if (found.hasAttribute("data-viewer-from")) {
        viewer.scrollIntoView({ block: "nearest" });
        one(viewer, "[data-viewer-stage]").focus({ preventScroll: true });
      }
    }
  });
  document.addEventListener("dblclick", (event) => {
    const viewer = near(event, "[data-viewer-stage]")?.closest("[data-viewer]");
    if (!viewer) return;
    const view = viewOf(viewer);
    view.zoom = view.zoom > 1 ? 1 : 2.25;
    place(viewer);
  });
  document.addEventListener("pointerdown", (event) => {
    const stage = near(event, "[data-viewer-stage][data-pannable]");
    if (!stage || event.pointerType !== "mouse" || event.button) return;
    const { scrollLeft, scrollTop } = stage;
    const move = (to) => {
      stage.scrollLeft = scrollLeft - (to.clientX - event.clientX);
      stage.scrollTop = scrollTop - (to.clientY - event.clientY);
    };
    stage.toggleAttribute("data-panning", true);
    document.addEventListener("pointermove", move);
    document.addEventListener(
      "pointerup",
      () => {
        stage.toggleAttribute("data-panning", false);
        document.removeEventListener("pointermove", move);
      },
      { once: true },
    );
  });

  /* Focus */

  const toErrors = () => document.querySelector("[data-error-summary]")?.focus();
  document.addEventListener(
    "submit",
    () => setTimeout(() => document.querySelector("dialog[open]") || toErrors(), 700),
    true,
  );
  const BANNER = "reflex-new-version-banner";
  const translate = (banner) => {
    banner.firstChild.textContent = "Вышло обновление сервиса. Сохраните введённое и обновите страницу.";
    banner.querySelector("button").textContent = "Обновить";
  };
  let { title } = document;
  let { pathname } = location;
  let moved = false;
  let held = null;
  let home = null;
  let pressed = null;
  let called = null;
  /* A form that a press in a list has opened at another place is gone to, and left back to the list. */
  const goTo = (part) => {
    const head = one(part, "h2") || part;
    head.tabIndex = -1;
    called = { part, from: called ? called.from : pressed };
    part.scrollIntoView({ block: "start" });
    head.focus({ preventScroll: true });
  };
  const comeBack = () => {
    const { from } = called;
    called = null;
    if (document.activeElement !== document.body) return;
    (from?.isConnected ? from : document.querySelector("main h1"))?.focus();
  };
  document.addEventListener("click", (event) => (pressed = near(event, "button") || pressed), true);
  for (const kind of ["focusin", "pointerdown"])
    document.addEventListener(
      kind,
      (event) => {
        moved = false;
        held = kind === "focusin" ? event.target : null;
        /* A search that takes the focus opens the keyboard of a phone: only for who uses one. */
        home =
          near(event, "[data-upload-url]") ||
          (event.target.matches?.(":focus-visible") && near(event, "[data-arrows]"));
      },
      true,
    );
  /* What a link carries behind «#» goes into its form and out of the address, the history, a shot. */
  const takeHash = () => {
    const field = document.querySelector("[data-from-hash]");
    if (!field || location.hash.length < 2) return;
    field.value = location.hash.slice(1);
    history.replaceState(history.state, "", location.pathname + location.search);
  };
  new MutationObserver((changes) => {
    for (const change of changes) {
      for (const node of change.addedNodes) {
        if (!(node instanceof HTMLElement)) continue;
        if (node.matches("[data-error-summary]") || one(node, "[data-error-summary]")) toErrors();
        if (node.id === BANNER) translate(node);
        const part = node.matches("[data-called]") ? node : one(node, "[data-called]");
        if (part) goTo(part);
        /* A form the server has filled to be sent by plain HTTP: the session's cookie comes so. */
        const filled = node.matches("form[data-autosubmit]") ? node : one(node, "form[data-autosubmit]");
        if (filled) setTimeout(() => filled.requestSubmit(), 0);
      }
    }
    /* The code was closed or used up while it was shown. */
    if (full && !full.isConnected) leaveFull();
    /* What had the focus has gone, a paper's file or something found: it stays at the same place. */
    if (held && !held.isConnected) {
      held = null;
      if (home?.isConnected && document.activeElement === document.body)
        one(home, "[data-file], input[type=search]")?.focus();
    }
    if (called && !called.part.isConnected) comeBack();
    if (document.querySelector("[data-viewer]")) review();
    takeHash();
    announce();
    if ((document.title && document.title !== title) || location.pathname !== pathname) {
      ({ title } = document);
      ({ pathname } = location);
      moved = true;
    }
    /* What led here is gone with its screen: begin the new one at its heading. */
    if (moved && document.activeElement === document.body)
      document.querySelector("main h1")?.focus({ preventScroll: true });
  }).observe(document.documentElement, { childList: true, subtree: true });

  /* The connection: a screen is as old as the last word of the server, who speaks every 25 s. */

  const SILENCE = 40_000;
  const PATIENCE = 1500;
  const dated = (at) => {
    const zone = { timeZone: "Europe/Moscow" };
    const then = new Date(at);
    const time = then.toLocaleTimeString("ru-RU", { ...zone, hour: "2-digit", minute: "2-digit" });
    const day = (date) => date.toLocaleDateString("ru-RU", zone);
    return day(then) === day(new Date()) ? time : `${day(then)}, ${time}`;
  };
  const watch = () => {
    const box = document.querySelector("[data-link]");
    const heard = window.emkHeard;
    if (!box || !heard) return;
    const isOld = heard.at && Date.now() - heard.at > SILENCE;
    const isLost = isOld || (!heard.on && Date.now() - heard.since > PATIENCE);
    /* It does not wait for what may never come: a computer that has slept is answered anew. */
    if (isOld && heard.on && !document.hidden) window.dispatchEvent(new Event("emk-connect"));
    if (box.hidden !== isLost) return;
    const since = one(box, "[data-link-since]");
    since.hidden = !heard.at;
    if (heard.at) one(since, "time").textContent = dated(heard.at);
    box.hidden = !isLost;
  };
  setInterval(watch, 1000);
  document.addEventListener("visibilitychange", watch);

  /* Hours in which the service is worked on are told on every screen, what is switched off where it
     would be used: until somebody has read it. */

  const READ = "emk-announced";
  let announced = [];
  const announce = () => {
    const place = document.querySelector("[data-announced]");
    if (!place) return;
    const read = (localStorage.getItem(READ) || "").split(" ");
    const here = ({ on }) => !on || location.pathname.startsWith(on);
    const told = announced.filter((each) => !read.includes(each.key) && here(each));
    const keys = told.map(({ key }) => key).join(" ");
    if ((place.dataset.announced || "") === keys) return;
    place.dataset.announced = keys;
    place.hidden = !told.length;
    place.replaceChildren(
      ...told.map(({ key, head, text }) => {
        const line = document.createElement("div");
        line.className = "e-wrap";
        const said = document.createElement("p");
        const bold = document.createElement("b");
        bold.textContent = head;
        said.append(bold, ` ${text}`);
        const shut = document.createElement("button");
        shut.type = "button";
        shut.className = "e-announced-shut";
        shut.textContent = "Понятно";
        shut.setAttribute("aria-label", `Понятно: больше не показывать объявление «${head}»`);
        shut.onclick = () => {
          localStorage.setItem(READ, [...read.slice(-20), key].join(" ").trim());
          announce();
          (place.querySelector("button") || document.querySelector("main h1"))?.focus();
        };
        line.append(said, shut);
        return line;
      }),
    );
  };
  const askAnnounced = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch("/announced");
      if (answer.ok) announced = await answer.json();
    } catch {
      /* What was told stands; without a network there is a strip of its own. */
    }
    announce();
  };
  askAnnounced();
  setInterval(askAnnounced, 300_000);
  document.addEventListener("visibilitychange", askAnnounced);

  /* A page has the styles that it begins with; the sheet of all pages must not hold it up. One that
     fails is asked for again, after ever longer pauses: a link tries only once. */
  const bring = (link, pause) => {
    const isThere = () => {
      try {
        return link.sheet?.cssRules.length > 0;
      } catch {
        // There is something that may not be looked into: an answer that failed.
        return false;
      }
    };
    const take = () => (link.media = "all");
    const askAgain = () =>
      setTimeout(() => {
        if (isThere()) return;
        const next = link.cloneNode();
        bring(next, Math.min(2 * pause, 30_000));
        link.replaceWith(next);
      }, pause);
    link.addEventListener("load", take);
    link.addEventListener("error", askAgain);
    if (isThere()) take();
    // What had failed before this script came says so no more.
    else if (link.isConnected && performance.getEntriesByName(link.href).length) askAgain();
  };
  for (const link of document.querySelectorAll("link[data-late]")) bring(link, 1000);

  if (navigator.share) document.documentElement.setAttribute("data-can-share", "");
  if (navigator.mediaDevices?.getUserMedia) document.documentElement.setAttribute("data-can-scan", "");
})();
