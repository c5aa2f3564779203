import {registry} from "@web/core/registry";

/**
 * Gives the focus back to what had it, when a window closes or a button has done its work.
 *
 * Buttons are disabled while an action runs, and one that is disabled loses the focus.
 * After a message about a refusal, or a search that found nobody, the focus was nowhere:
 * Tab led through the page behind the form, and the next scan was lost.
 */
export const keptFocusService = {
    dependencies: ["ui"],

    start(_env, {ui}) {
        const lastOnes = new WeakMap();

        function getWindow(element) {
            return element.closest(".modal") || document;
        }

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
            if (document.activeElement === document.body && last?.isConnected) {
                last.focus();
                // As Tab does: what is typed or scanned next replaces the text.
                last.select?.();
            }
        }

        function giveBackLater() {
            setTimeout(giveBack);
        }

        document.addEventListener("focusin", remember);
        document.addEventListener("pointerdown", forget, true);
        // Afterwards Odoo itself gives it to what had it, if anything had.
        ui.bus.addEventListener("active-element-changed", giveBackLater);
        new MutationObserver(giveBackLater).observe(document.body, {
            attributeFilter: ["disabled"],
            subtree: true,
        });
    },
};

registry.category("services").add("spar_kept_focus", keptFocusService);
