// One duty: a second click on a form already sent does no harm, and a wait of over a second says so.
const NOTICED_AFTER = 1000;
// A person may have stopped the page from loading; then the form works again.
const FREE_AFTER = 10_000;

for (const form of document.forms) {
  let free;

  form.addEventListener('submit', (event) => {
    if (free) {
      event.preventDefault();
      return;
    }
    const button = event.submitter ?? form.querySelector('[type=submit]');
    // A button with a logo keeps it.
    const label = button.querySelector('[data-label]') ?? button;
    const text = label.textContent;
    // aria-disabled, not disabled: the button keeps the focus, and its name is still sent.
    button.setAttribute('aria-disabled', 'true');
    const notice = setTimeout(() => {
      label.textContent = form.dataset.wait ?? text;
    }, NOTICED_AFTER);
    const release = setTimeout(() => free?.(), FREE_AFTER);
    free = () => {
      clearTimeout(notice);
      clearTimeout(release);
      label.textContent = text;
      button.removeAttribute('aria-disabled');
      free = undefined;
    };
  });

  // "Back" may bring the page as it was left.
  addEventListener('pageshow', () => free?.());
}
