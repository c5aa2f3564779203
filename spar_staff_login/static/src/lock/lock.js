import {
    CheckIdentityDialog,
    checkIdentityService,
} from "@auth_timeout/services/check_identity/check_identity";
import {_t} from "@web/core/l10n/translation";
import {browser} from "@web/core/browser/browser";
import {patch} from "@web/core/utils/patch";
import {RPCError, rpc} from "@web/core/network/rpc";
import {session} from "@web/session";
import {user} from "@web/core/user";

const COVERED = "spar_locked";
/** Something that the user has typed and not saved: it is still there after unlocking. */
const TYPED = [
    ".o_dialog:not(:has(.o_check_identity_form))",
    ".o_form_status_indicator_buttons:not(.invisible)",
].join(",");
const MUST_CONFIRM = "odoo.addons.auth_timeout.models.ir_http.CheckIdentityException";
const EXPIRED = "odoo.http.SessionExpiredException";
/** Milliseconds between two looks at the clock, and between two calls without an answer. */
const EVERY = 3000;

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
 * The cover of one tab. It is taken away only after the server has confirmed that whoever
 * is logged in now is the user of this page: another tab may have logged in somebody else,
 * and what a tab announces proves nothing.
 */
class Cover {
    constructor(env) {
        this.env = env;
        this.isAsking = false;
        this.hasQuestion = false;
        this.focused = null;
    }

    get isClosed() {
        return document.body.classList.contains(COVERED);
    }

    close() {
        if (!this.isClosed) {
            this.focused = document.activeElement;
            document.body.classList.add(COVERED);
        }
    }

    open() {
        if (this.isClosed) {
            document.body.classList.remove(COVERED);
            if (document.activeElement === document.body) {
                this.focused?.focus();
            }
        }
    }

    /** Have a form send nothing when its covered page is left: somebody else may do that. */
    keep(event) {
        if (this.isClosed) {
            event.stopImmediatePropagation();
        }
    }

    /** Ask the server who is logged in; uncover only their own page. */
    async confirm() {
        if (this.isAsking || this.hasQuestion) {
            return;
        }
        this.isAsking = true;
        try {
            const uid = await this.findUser();
            if (uid === user.userId) {
                this.open();
            } else {
                await this.leave();
            }
        } finally {
            this.isAsking = false;
        }
    }

    /**
     * Return who is logged in, or null, as soon as the server answers. An error that has
     * core ask who it is goes on to core.
     */
    async findUser() {
        for (;;) {
            const uid = await this.askServer();
            if (uid !== undefined) {
                return uid;
            }
            await this.wait();
        }
    }

    async askServer() {
        try {
            const asked = rpc("/web/session/get_session_info", {}, {silent: true});
            return (await asked).uid;
        } catch (error) {
            const name = error instanceof RPCError && error.data?.name;
            if (name === MUST_CONFIRM) {
                throw error;
            }
            return name === EXPIRED ? null : undefined;
        }
    }

    async wait() {
        const notice = document.createElement("p");
        notice.className = "spar_unreachable";
        notice.setAttribute("role", "alert");
        notice.textContent = _t(
            "The server cannot be reached. The screen stays locked until it answers."
        );
        document.body.append(notice);
        await new Promise((resolve) => browser.setTimeout(resolve, EVERY));
        notice.remove();
    }

    /** Leave the page of somebody else: nothing of theirs is shown, saved or sent. */
    async leave() {
        this.close();
        this.env.services.dialog.closeAll({noReload: true});
        this.env.bus.trigger("ACTION_MANAGER:UPDATE", {});
        await new Promise((resolve) => browser.setTimeout(resolve));
        browser.location.replace("/odoo");
    }
}

/**
 * Notices by the clock that the time without activity is over: a computer that was asleep
 * stopped its timers, and core takes the first click after it for activity.
 */
function watchClock(cover, presence) {
    const limit = session.lock_timeout_inactivity * 1000;
    let seenAt = Date.now();
    const look = () => {
        if (Date.now() - seenAt >= limit) {
            cover.close();
            cover.confirm();
            seenAt = Date.now();
        }
    };
    const note = () => {
        look();
        seenAt = Date.now();
    };
    presence.bus.addEventListener("presence", note);
    browser.addEventListener("focus", note);
    browser.setInterval(look, EVERY);
}

/**
 * Covers the screen while the server asks who the user is. The lock itself is the
 * server's: until the user has confirmed who they are, it answers nothing else.
 */
patch(checkIdentityService, {
    start(env, services) {
        const service = super.start(keepTyped(env), services);
        const cover = new Cover(env);
        service.bus.addEventListener("start", () => {
            cover.hasQuestion = true;
            cover.close();
        });
        service.bus.addEventListener("stop", () => {
            cover.hasQuestion = false;
            cover.confirm();
        });
        if (session.lock_timeout_inactivity) {
            watchClock(cover, services.presence);
        }
        browser.addEventListener("beforeunload", (event) => cover.keep(event), true);
        browser.addEventListener("focus", () => cover.confirm());
        document.addEventListener("visibilitychange", () => {
            if (document.visibilityState === "visible") {
                cover.confirm();
            }
        });
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
