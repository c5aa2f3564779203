import {FormController} from "@web/views/form/form_controller";
import {formView} from "@web/views/form/form_view";
import {registry} from "@web/core/registry";

/**
 * The form of the find box: only a search stores what was typed, sealed.
 *
 * Odoo would also store it when the page is left, hidden or reloaded, and when a button
 * leads elsewhere.
 */
export class FindFormController extends FormController {
    beforeVisibilityChange() {}

    async beforeLeave() {}

    async beforeUnload() {}

    async beforeExecuteActionButton(clickParams) {
        if (clickParams.type === "object") {
            return super.beforeExecuteActionButton(clickParams);
        }
    }
}

registry.category("views").add("spar_find_form", {
    ...formView,
    Controller: FindFormController,
});
