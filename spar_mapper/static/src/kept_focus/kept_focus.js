import {registry} from "@web/core/registry";

/**
 * Gives the focus back when a window closes, to what had it before the window opened.
 *
 * A button is disabled while its action runs and loses the focus. After a message about
 * a refusal the focus was nowhere, and Tab led through the page behind the form.
 */
export const keptFocusService = {
    dependencies: ["ui"],

    start(_env, {ui}) {
        const lastOnes = new WeakMap();

        function remember(event) {
            const place = ui.getActiveElementOf(event.target);
            if (place) {
                lastOnes.set(place, event.target);
            }
        }

        function giveBack() {
            const last = lastOnes.get(ui.activeElement);
            if (document.activeElement === document.body && last?.isConnected) {
                last.focus();
            }
        }

        document.addEventListener("focusin", remember);
        // Afterwards Odoo itself gives it to what had it, if anything had.
        ui.bus.addEventListener("active-element-changed", () => setTimeout(giveBack));
    },
};

registry.category("services").add("spar_kept_focus", keptFocusService);
