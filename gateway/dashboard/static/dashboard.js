// Small helps for pages that work without them: copying, choosing without a button, fields that another one calls for.
(function () {
  "use strict";

  document.querySelectorAll("button[data-copy]").forEach(function (button) {
    if (!navigator.clipboard) return;
    button.hidden = false;
    button.addEventListener("click", function () {
      navigator.clipboard.writeText(button.dataset.copy).then(function () {
        button.textContent = "Copied";
        setTimeout(function () { button.textContent = "Copy"; }, 2000);
      });
    });
  });

  document.querySelectorAll("select[data-submit]").forEach(function (select) {
    select.addEventListener("change", function () { select.form.requestSubmit(); });
    var button = select.parentElement.querySelector("button[type=submit]");
    if (button) button.hidden = true;
  });

  // <div data-when="kind" data-is="chosen"> is shown while the field `kind` of its form is `chosen`.
  document.querySelectorAll("[data-when]").forEach(function (part) {
    var form = part.closest("form");
    function settle() {
      part.hidden = new FormData(form).get(part.dataset.when) !== part.dataset.is;
    }
    form.addEventListener("change", settle);
    settle();
  });
})();
