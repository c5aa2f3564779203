import {ButtonBox} from "@web/views/form/button_box/button_box";
import {FormController} from "@web/views/form/form_controller";
import {FormRenderer} from "@web/views/form/form_renderer";
import {StatusBarButtons} from "@web/views/form/status_bar_buttons/status_bar_buttons";
import {formView} from "@web/views/form/form_view";
import {registry} from "@web/core/registry";

/** Every button, at each size of a screen: Odoo hides all but the first on a phone. */
export class OpenStatusBarButtons extends StatusBarButtons {
    static template = "spar_mapper.OpenStatusBarButtons";
}

/** Every button of the box, with its words: a phone shows a lightning without any. */
export class OpenButtonBox extends ButtonBox {
    static template = "spar_mapper.OpenButtonBox";

    get visibleSlotNames() {
        return Object.entries(this.props.slots)
            .filter(([, slot]) => this.isSlotVisible(slot))
            .map(([name]) => name);
    }
}

export class OpenButtonsController extends FormController {
    static components = {...FormController.components, ButtonBox: OpenButtonBox};
}

export class OpenButtonsRenderer extends FormRenderer {
    static components = {
        ...FormRenderer.components,
        StatusBarButtons: OpenStatusBarButtons,
    };
}

registry.category("views").add("spar_open_buttons_form", {
    ...formView,
    Controller: OpenButtonsController,
    Renderer: OpenButtonsRenderer,
});
