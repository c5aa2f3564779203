/* Passkeys on the pages around staff's login: no bundle, so that no view can add to it. */
import * as passkeys from "/auth_passkey/static/lib/simplewebauthn.js";

async function getOptions() {
    const answer = await fetch("/auth/passkey/start-auth", {
        method: "POST",
        headers: {"Content-Type": "application/json"},
        body: JSON.stringify({jsonrpc: "2.0", method: "call", params: {}}),
    });
    return (await answer.json()).result;
}

async function logIn() {
    const form = document.querySelector("form.login");
    const answer = await passkeys.startAuthentication(await getOptions());
    form.elements.webauthn_response.value = JSON.stringify(answer);
    form.elements.type.value = "webauthn";
    form.submit();
}

async function make() {
    const form = document.querySelector("form.passkey");
    const options = JSON.parse(form.dataset.options);
    const made = await passkeys.startRegistration(options);
    form.elements.registration.value = JSON.stringify(made);
    form.submit();
}

for (const button of document.querySelectorAll("button[data-passkey]")) {
    const act = button.dataset.passkey === "make" ? make : logIn;
    button.addEventListener("click", () =>
        act().catch(() => {
            const failed = document.querySelector("[data-failed]");
            if (failed) {
                failed.hidden = false;
            }
        })
    );
}
