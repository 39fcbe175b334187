// One duty: passkeys. It tells the server what this browser can do, lets a person use or create a
// passkey on the forms marked for it, and passes what is true here on to their password manager.
const library = globalThis.SimpleWebAuthnBrowser;
const supported = Boolean(library?.browserSupportsWebAuthn());

const YEAR = 31_536_000;
// What a browser was given to sign is good for five minutes.
const RENEW_AFTER = 240_000;
const LOOK_AFTER = 20_000;
// Sooner than this, it was the browser that refused, not the person.
const AT_ONCE = 2000;

// What this browser can do: the server offers passkeys by it, so it has to know before the next page.
function remember(words) {
  const secure = location.protocol === 'https:' ? '; Secure' : '';
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is missing in browsers that have passkeys
  document.cookie = `vestibule_passkeys=${words.join('.')}; Path=/; SameSite=Lax; Max-Age=${YEAR}${secure}`;
}

async function findAbilities() {
  if (!supported) return remember(['none']);
  if (!document.cookie.includes('vestibule_passkeys=get')) remember(['get']);
  const [passkeys, platform, { conditionalCreate }] = await Promise.all([
    library.browserSupportsPasskeys(),
    library.platformAuthenticatorIsAvailable(),
    library.getBrowserCapabilities(),
  ]);
  remember([
    'get',
    ...(passkeys || platform ? ['platform'] : []),
    ...(conditionalCreate === 'supported' ? ['automatic'] : []),
  ]);
}

/** Something to tell the person: a sentence of the page by its name, or the server's own. */
class Problem extends Error {
  constructor({ code, sentence, text }) {
    super(text ?? sentence);
    Object.assign(this, { code, sentence, text });
  }
}

async function send(form, address, fields) {
  const body = new URLSearchParams({ _csrf: form.elements._csrf.value, ...fields });
  const response = await fetch(address, { method: 'POST', headers: { Accept: 'application/json' }, body }).catch(() => {
    throw new Problem({ sentence: 'offline' });
  });
  const answer = await response.json().catch(() => ({}));
  if (response.ok) return answer;
  throw new Problem({ code: answer.code, text: answer.detail, sentence: 'offline' });
}

async function fetchOptions(form, fields) {
  const { location: next, ...options } = await send(form, form.dataset.options, fields);
  if (!next) return options;
  // Another page is due by now: proved too long ago, or done in another tab.
  location.assign(next);
  throw new DOMException('Another page is due', 'AbortError');
}

async function sendPasskey(form, credential) {
  const { location: next } = await send(form, form.action, { credential: JSON.stringify(credential) });
  if (!next) throw new Problem({ sentence: 'offline' });
  location.assign(next);
}

/** A signal the browser doesn't know is not sent; any other failure shows up in its console. */
function signal(signalName, details) {
  const method = `signal${signalName[0].toUpperCase()}${signalName.slice(1)}`;
  if (typeof PublicKeyCredential[method] === 'function') library.sendSignal({ signalName, ...details });
}

async function signIn(form, mode) {
  const optionsJSON = await fetchOptions(form);
  const credential = await library.startAuthentication({ optionsJSON, ...mode });
  setBusy(form, true);
  await sendPasskey(form, credential).catch((problem) => {
    if (problem.code === 'passkey_unknown')
      signal('unknownCredential', { rpID: optionsJSON.rpId, credentialID: credential.id });
    throw problem;
  });
}

async function create(form, { automatic = false } = {}) {
  const optionsJSON = await fetchOptions(form, automatic ? { mediation: 'conditional' } : {});
  const credential = await library.startRegistration({ optionsJSON, useAutoRegister: automatic });
  await sendPasskey(form, credential).catch((problem) => {
    // The device keeps a passkey that nobody here knows; one we know already stays, of course.
    if (problem.code?.startsWith('passkey_') && problem.code !== 'passkey_exists')
      signal('unknownCredential', { rpID: optionsJSON.rp.id, credentialID: credential.id });
    throw problem;
  });
}

const isAborted = (error) => error.name === 'AbortError';

function sentenceFor(error) {
  if (error instanceof Problem) return error.sentence;
  if (error.name === 'NotAllowedError') return 'cancelled';
  return error.name === 'InvalidStateError' ? 'exists' : 'failed';
}

const template = document.getElementById('passkey-problem');

function clearProblem() {
  document.getElementById('problem')?.remove();
}

function showProblem(form, error) {
  clearProblem();
  const { title, ...sentences } = template.dataset;
  const problem = template.content.querySelector('p').cloneNode(true);
  problem.id = 'problem';
  problem.lastElementChild.lastElementChild.textContent =
    (error instanceof Problem && error.text) || sentences[sentenceFor(error)] || sentences.failed;
  form.elements._csrf.after(problem);
  document.title = title;
  problem.focus();
}

const button = (form) => form.querySelector('#continue');
const isBusy = (form) => button(form).getAttribute('aria-busy') === 'true';

// aria-disabled, not disabled: the button keeps the focus, and a screen reader its place.
function setBusy(form, busy) {
  const { dataset } = form;
  dataset.text ??= button(form).textContent;
  button(form).setAttribute('aria-busy', String(busy));
  button(form).setAttribute('aria-disabled', String(busy));
  button(form).textContent = busy ? dataset.wait : dataset.text;
}

async function run(form, ceremony) {
  if (isBusy(form)) return;
  setBusy(form, true);
  try {
    await ceremony(form);
  } catch (error) {
    setBusy(form, false);
    if (!isAborted(error)) showProblem(form, error);
  }
}

/** A click on the main button is ours; the form itself is sent by its other buttons only. */
function takeClicks(form, ceremony) {
  button(form).addEventListener('click', (event) => {
    event.preventDefault();
    run(form, ceremony);
  });
}

/** Browsers open no dialog for a page that nobody looks at, such as one loaded ahead. */
function whenVisible(start) {
  if (document.visibilityState === 'visible') return start();
  document.addEventListener('visibilitychange', start, { once: true });
}

const kinds = {
  async autofill(form) {
    if (!(await library.browserSupportsWebAuthnAutofill())) return;
    let startedAt = 0;
    const start = async () => {
      startedAt = Date.now();
      const since = startedAt;
      try {
        await signIn(form, { useBrowserAutofill: true });
      } catch (error) {
        const chosen = isBusy(form);
        if (chosen) {
          setBusy(form, false);
          showProblem(form, error);
        }
        // After a try of the person's the field goes on offering passkeys; a browser that refuses
        // at once, and a server that can't be reached, are left in peace until the next renewal.
        if (chosen || (error.name === 'NotAllowedError' && Date.now() - since > AT_ONCE)) start();
      }
    };
    const renew = () => {
      const due = Date.now() - startedAt >= RENEW_AFTER;
      if (due && document.visibilityState === 'visible' && !isBusy(form)) start();
    };
    renew();
    setInterval(renew, LOOK_AFTER);
    document.addEventListener('visibilitychange', renew);
  },

  'sign-in'(form) {
    takeClicks(form, signIn);
    if (!document.getElementById('problem')) whenVisible(() => run(form, signIn));
  },

  async create(form) {
    let attempt;
    takeClicks(form, async () => {
      // The attempt without a dialog makes room; if it has come to its end meanwhile, that was it.
      library.WebAuthnAbortService.cancelCeremony();
      if (!(await attempt)) await create(form);
    });
    if (!('automatic' in form.dataset)) return;
    attempt = create(form, { automatic: true }).then(
      () => true,
      () => false,
    );
    if (!(await attempt)) form.closest('.waits')?.classList.remove('waits');
  },
};

for (const element of document.querySelectorAll('[data-passkeys]')) {
  element.hidden = (element.dataset.passkeys === 'with') !== supported;
}

findAbilities();

for (const form of document.querySelectorAll('form[data-passkey]')) {
  if (supported) kinds[form.dataset.passkey](form);
  else form.closest('.waits')?.classList.remove('waits');
  // "Back" may bring the page as it was left.
  addEventListener('pageshow', ({ persisted }) => persisted && setBusy(form, false));
}

const truth = document.getElementById('passkey-signals')?.dataset;
if (truth && supported) {
  const { rpId: rpID, userId: userID } = truth;
  signal('allAcceptedCredentials', { rpID, userID, allAcceptedCredentialIDs: JSON.parse(truth.accepted) });
  signal('currentUserDetails', { rpID, userID, userName: truth.name, userDisplayName: truth.displayName });
}
