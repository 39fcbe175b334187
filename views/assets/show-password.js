// One duty: let a person see the passwords they typed.
for (const button of document.querySelectorAll('.reveal')) {
  const field = document.getElementById(button.getAttribute('aria-controls'));

  const toggle = () => {
    field.type = field.type === 'password' ? 'text' : 'password';
    const { otherText, otherLabel } = button.dataset;
    button.dataset.otherText = button.textContent;
    button.dataset.otherLabel = button.getAttribute('aria-label');
    button.textContent = otherText;
    button.setAttribute('aria-label', otherLabel);
  };

  button.addEventListener('click', toggle);
  // A password sent as text would be offered again as an ordinary entry by the browser.
  field.form.addEventListener('submit', () => field.type === 'text' && toggle());
  button.hidden = false;
}
