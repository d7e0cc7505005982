// Lets the keys go to the terminal at once, without a click, and again whenever the window is chosen.
"use strict";

function focusTerminal() {
  // Once the connection stands, textual-serve says so; what it tells of the focus before that cannot be sent.
  const keys = document.querySelector("body.-loaded .xterm-helper-textarea");
  if (keys !== null) {
    keys.focus();
  }
  return keys !== null;
}

const waiting = new MutationObserver(() => {
  if (focusTerminal()) {
    waiting.disconnect();
  }
});
waiting.observe(document.body, { attributes: true, attributeFilter: ["class"] });
window.addEventListener("focus", focusTerminal);
