// Runs before the first paint so that a dark console never flashes white. A file of its own: the policy allows no inline script.
(function () {
  var theme = null;
  try {
    theme = localStorage.getItem('aistack.theme');
  } catch (e) {
    // Storage can be switched off; the system's preference decides then.
  }
  var dark = theme === 'dark' || (theme !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.dataset.theme = dark ? 'dark' : 'light';
})();
