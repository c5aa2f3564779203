import {
    CheckIdentityDialog,
    checkIdentityService,
} from "@auth_timeout/services/check_identity/check_identity";
import {patch} from "@web/core/utils/patch";

const COVERED = "spar_locked";
/** Something that the user has typed and not saved: it is still there after unlocking. */
const TYPED = [
    ".o_dialog:not(:has(.o_check_identity_form))",
    ".o_form_status_indicator_buttons:not(.invisible)",
].join(",");

/**
 * The page as core sees it. Core empties a page while it asks who the user is, and loads
 * it again afterwards. One with unsaved text is only covered.
 */
function keepTyped(env) {
    const services = Object.create(env.services, {
        action: {
            get: () =>
                document.querySelector(TYPED) ? undefined : env.services.action,
        },
    });
    return Object.create(env, {services: {value: services}});
}

/**
 * Covers the screen while the server asks who the user is. The lock itself is the
 * server's: until the user has confirmed who they are, it answers nothing else.
 */
patch(checkIdentityService, {
    start(env, services) {
        const service = super.start(keepTyped(env), services);
        const setCovered = (isCovered) =>
            document.body.classList.toggle(COVERED, isCovered);
        service.bus.addEventListener("start", () => setCovered(true));
        service.bus.addEventListener("stop", () => setCovered(false));
        return service;
    },
});

/**
 * Core logs the user out who presses Escape, and what they typed is lost. Here a link does
 * that: the question stays until it is answered.
 */
patch(CheckIdentityDialog.prototype, {
    setup() {
        super.setup();
        this.env.dialogData.dismiss = () => new Promise(() => {});
    },
});
