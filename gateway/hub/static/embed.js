// Opens the Hub from a page of your product, as a popup or in a frame, and says what came of it:
//
//   Connect.start({ sessionToken: token, onSuccess: function (account) {}, onClose: function () {} });
//   Connect.start({ sessionToken: token, container: element, onSuccess: function (account) {} });
//
// The page's origin has to be in the gateway's hub.allowed_origins. Call it in a click, or browsers block the popup.
(function () {
  "use strict";
  var home = document.currentScript.src.replace(/\/connect\/embed\.js.*$/, "");
  var origin = new URL(home).origin;

  function framed(url, container) {
    var frame = document.createElement("iframe");
    frame.src = url;
    frame.title = "Connect your HR system";
    frame.referrerPolicy = "no-referrer";
    frame.width = "100%";
    frame.height = "720";
    frame.setAttribute("frameborder", "0");
    container.appendChild(frame);
    return { window: function () { return frame.contentWindow; }, close: function () { frame.remove(); } };
  }

  function popup(url) {
    var opened = window.open(url, "_blank", "popup,width=720,height=860");
    return opened && { window: function () { return opened; }, close: function () { opened.close(); }, popup: opened };
  }

  function start(options) {
    var url = home + "/connect/" + encodeURIComponent(options.sessionToken);
    var hub = options.container ? framed(url, options.container) : popup(url);
    if (!hub) throw new Error("The browser has blocked the popup: call Connect.start in a click.");
    var connected = false;

    function hear(event) {
      if (event.origin !== origin || event.source !== hub.window()) return;
      if (!event.data || event.data.type !== "AccountConnected") return;
      connected = true;
      if (options.onSuccess) options.onSuccess(event.data.account);
    }

    function end() {
      window.removeEventListener("message", hear);
      clearInterval(watch);
      if (!connected && options.onCancel) options.onCancel();
      if (options.onClose) options.onClose();
    }

    var watch = hub.popup && setInterval(function () { if (hub.popup.closed) end(); }, 500);
    window.addEventListener("message", hear);
    return { close: function () { hub.close(); end(); } };
  }

  window.Connect = { start: start };
})();
