/* Passkeys: asks the server what to ask for, the browser for a key, and the server what it makes of
   the answer. Loaded when such a button is first pressed. */

const WORDS = {
  none: "Этот браузер не умеет ключи доступа. Обновите его или выберите другой способ.",
  NotAllowedError:
    "Ключ не подтверждён: действие отменено или время вышло. Попробуйте ещё раз или выберите другой способ.",
  InvalidStateError: "На этом устройстве ключ для вашей учётной записи уже есть.",
  NotSupportedError: "Это устройство не умеет таких ключей. Выберите другой способ.",
  ConstraintError: "Включите на устройстве блокировку экрана: ПИН-код, отпечаток или лицо.",
  SecurityError: "По этому адресу сайта ключи доступа не работают. Выберите другой способ.",
  other: "Ключ не сработал. Попробуйте ещё раз или выберите другой способ.",
  offline: "Нет связи с сервером. Проверьте интернет и попробуйте ещё раз.",
  failed: "Не получилось. Попробуйте ещё раз; если не поможет, выберите другой способ.",
};
const MAKES = ["enrol", "add"];

class Refused extends Error {}

const toBytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
const toText = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");

const post = async (path, body) => {
  let answer;
  try {
    answer = await fetch(`/api/passkeys/${path}`, {
      method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" },
      body: JSON.stringify(body),
    });
  } catch {
    throw new Refused(WORDS.offline);
  }
  /* A proxy may answer with a page of its own. */
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Refused(said.message || WORDS.failed);
  return said;
};

const known = (list) => (list ?? []).map((each) => ({ ...each, id: toBytes(each.id) }));

const make = async (options) => {
  const { response, ...key } = await navigator.credentials.create({
    publicKey: {
      ...options,
      challenge: toBytes(options.challenge),
      user: { ...options.user, id: toBytes(options.user.id) },
      excludeCredentials: known(options.excludeCredentials),
    },
  }).then(named);
  return {
    ...key,
    response: {
      clientDataJSON: toText(response.clientDataJSON),
      attestationObject: toText(response.attestationObject),
      transports: response.getTransports?.() ?? [],
    },
  };
};

const ask = async (options) => {
  const { response, ...key } = await navigator.credentials.get({
    publicKey: {
      ...options,
      challenge: toBytes(options.challenge),
      allowCredentials: known(options.allowCredentials),
    },
  }).then(named);
  return {
    ...key,
    response: {
      clientDataJSON: toText(response.clientDataJSON),
      authenticatorData: toText(response.authenticatorData),
      signature: toText(response.signature),
      userHandle: response.userHandle ? toText(response.userHandle) : null,
    },
  };
};

const named = ({ id, rawId, type, response }) => ({ id, rawId: toText(rawId), type, response });

const tell = (button, text) => {
  const place = button.closest("[data-passkey-box]").querySelector("[data-passkey-said]");
  place.textContent = text;
  place.parentElement.hidden = !text;
};

export const use = async (button) => {
  const { passkey: purpose, passkeyName: name } = button.dataset;
  tell(button, "");
  if (!window.PublicKeyCredential || !navigator.credentials) return tell(button, WORDS.none);
  button.setAttribute("aria-busy", "true");
  try {
    const options = await post(`${purpose}/options`, {});
    const answer = await (MAKES.includes(purpose) ? make(options) : ask(options));
    const said = await post(purpose, name ? { ...answer, name } : answer);
    /* The door has opened; anywhere else the form goes on with what was to be confirmed. */
    if (said.next) location.replace(said.next);
    else button.form.requestSubmit();
  } catch (error) {
    tell(button, error instanceof Refused ? error.message : WORDS[error.name] || WORDS.other);
  } finally {
    button.removeAttribute("aria-busy");
  }
};
