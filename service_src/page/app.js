// The page: signs in, then hands over to the desk.

import { Desk } from "./desk.js";
import { byId } from "./dom.js";
import { SignIn } from "./signin.js";
import { keptKey } from "./store.js";

/** The page begins anew, so that nothing in memory outlives the key. */
function leave(reason = "") {
  keptKey.forget();
  sessionStorage.setItem("left", reason);
  location.reload();
}

const signIn = new SignIn((key, models) => new Desk(key, models, leave));
byId("sign-out").addEventListener("click", () => leave());
signIn.resume(sessionStorage.getItem("left") ?? "");
sessionStorage.removeItem("left");
