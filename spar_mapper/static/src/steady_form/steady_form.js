import {RelationalModel} from "@web/model/relational_model/relational_model";
import {formView} from "@web/views/form/form_view";
import {registry} from "@web/core/registry";

/**
 * Whether a button of the mouse or a finger is down, and what waits until it is not.
 */
const pointer = {isDown: false, waiting: []};

function release() {
    pointer.isDown = false;
    // The browser reports the click right after the release.
    setTimeout(() => pointer.waiting.splice(0).forEach((resolve) => resolve()));
}

window.addEventListener("pointerdown", () => (pointer.isDown = true), true);
window.addEventListener("pointerup", release, true);
window.addEventListener("pointercancel", release, true);
window.addEventListener("blur", release);
// The release itself may have been outside the window.
window.addEventListener(
    "pointermove",
    (event) => pointer.isDown && !event.buttons && release(),
    true
);

function waitForRelease() {
    return new Promise((resolve) =>
        pointer.isDown ? pointer.waiting.push(resolve) : resolve()
    );
}

/**
 * A record that draws the server's answer to a change only while nothing is pressed.
 *
 * A field that loses the focus because something else is pressed asks the server. If the
 * answer were drawn before the release, it could move what is pressed away from the
 * pointer, and the browser would report no click.
 */
export class SteadyRecord extends RelationalModel.Record {
    async _getOnchangeValues() {
        const values = await super._getOnchangeValues(...arguments);
        if (!this.model._urgentSave) {
            await waitForRelease();
        }
        return values;
    }
}

export class SteadyModel extends RelationalModel {
    static Record = SteadyRecord;
}

/** A form whose fields and buttons stay in place; see also `steady_form.css`. */
registry.category("views").add("spar_steady_form", {
    ...formView,
    Model: SteadyModel,
});
