// Tells the page that opened this one, or that shows it in a frame, that an account is linked. The browser hands the
// message over only to a page of one of the origins that the operator allows.
(function () {
  "use strict";
  var data = document.currentScript.dataset;
  var page = window.opener || (window.parent !== window ? window.parent : null);
  if (!page) return;
  var message = { type: "AccountConnected", account: { id: data.account, provider: data.provider } };
  data.origins.split(" ").filter(Boolean).forEach(function (origin) {
    page.postMessage(message, origin);
  });
})();
