import {registry} from "@web/core/registry";

/** Where to go on if what had the focus is gone: in a window, or on a page. */
const NEXT_PLACES = [
    ".modal-body .o_field_widget :is(input, select, textarea):enabled",
    ".modal-footer button:enabled",
    ".o_statusbar_buttons button:enabled",
    ".o_breadcrumb a",
    ".o_control_panel button:enabled",
];

function isNowhere() {
    return document.activeElement === document.body;
}

function getWindow(element) {
    return element.closest(".modal") || document;
}

function isInSight(element) {
    return element.checkVisibility({visibilityProperty: true});
}

function findNextPlace(page) {
    return NEXT_PLACES.flatMap((each) => [...page.querySelectorAll(each)]).find(
        isInSight
    );
}

function focus(element) {
    element?.focus();
    // As Tab does: what is typed or scanned next replaces the text.
    element?.select?.();
}

/** Of radio buttons the chosen one has the focus, as Tab does it; Odoo takes the first. */
function enterRadioButtons({type, checked, name}) {
    if (type === "radio" && !checked) {
        focus(document.querySelector(`input[name="${CSS.escape(name)}"]:checked`));
    }
}

/**
 * Gives the focus back to what had it, when a window closes or a button has done its work.
 *
 * Buttons are disabled while an action runs, and one that is disabled loses the focus.
 * After a message about a refusal, or a search that found nobody, the focus was nowhere:
 * Tab led through the page behind the form, and the next scan was lost. What is gone, such
 * as the button of a review once the change is approved, hands the focus on.
 */
export const keptFocusService = {
    dependencies: ["ui"],

    start(_env, {ui}) {
        const lastOnes = new WeakMap();
        let isDue = false;

        function remember({target}) {
            // A window's first field has the focus before the window is active.
            lastOnes.set(getWindow(target), target);
        }

        function forget({target}) {
            // Whoever presses beside the fields takes the focus away on purpose.
            lastOnes.delete(getWindow(target));
        }

        function giveBack() {
            const last = lastOnes.get(ui.activeElement);
            if (isNowhere() && last) {
                focus(last.isConnected ? last : findNextPlace(ui.activeElement));
            }
            enterRadioButtons(document.activeElement);
        }

        function giveBackLater() {
            setTimeout(giveBack);
        }

        function handOn() {
            isDue = false;
            const last = lastOnes.get(ui.activeElement);
            if (isNowhere() && last && !last.isConnected) {
                focus(findNextPlace(ui.activeElement));
            }
        }

        function handOnLater() {
            if (!isDue && isNowhere()) {
                isDue = true;
                setTimeout(handOn);
            }
        }

        document.addEventListener("focusin", remember);
        document.addEventListener("pointerdown", forget, true);
        // Afterwards Odoo itself gives it to what had it, if anything had.
        ui.bus.addEventListener("active-element-changed", giveBackLater);
        new MutationObserver(giveBackLater).observe(document.body, {
            attributeFilter: ["disabled"],
            subtree: true,
        });
        new MutationObserver(handOnLater).observe(document.body, {
            childList: true,
            subtree: true,
        });
    },
};

registry.category("services").add("spar_kept_focus", keptFocusService);
