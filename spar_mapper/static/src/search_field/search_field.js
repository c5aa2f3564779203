import {CharField, charField} from "@web/views/fields/char/char_field";
import {registry} from "@web/core/registry";
import {useEffect} from "@odoo/owl";

/**
 * A text that is searched for when Enter is pressed, as a scanner does after a code.
 */
export class SearchField extends CharField {
    static props = {...CharField.props, press: {type: String, optional: true}};

    setup() {
        super.setup();
        useEffect(
            (element) => {
                const onKeydown = (event) => this.onKeydown(event);
                element?.addEventListener("keydown", onKeydown);
                return () => element?.removeEventListener("keydown", onKeydown);
            },
            () => [this.input.el]
        );
    }

    onKeydown(event) {
        if (event.key === "Enter" && !event.isComposing && this.props.press) {
            event.preventDefault();
            // Its value reaches the form before the button reads it.
            this.input.el.blur();
            const form = this.input.el.closest(".o_form_view");
            form.querySelector(`button[name="${this.props.press}"]`)?.click();
        }
    }
}

registry.category("fields").add("spar_search", {
    ...charField,
    component: SearchField,
    extractProps: (info, dynamicInfo) => ({
        ...charField.extractProps(info, dynamicInfo),
        press: info.options.press,
    }),
});
