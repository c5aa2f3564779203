import {CharField} from "@web/views/fields/char/char_field";
import {Component} from "@odoo/owl";
import {registry} from "@web/core/registry";
import {standardFieldProps} from "@web/views/fields/standard_field_props";

/**
 * The texts of an address, one below the other, each with its own field to type in.
 *
 * A list would show text, and has to be touched twice on a phone before it takes any.
 */
export class PartsField extends Component {
    static template = "spar_fa_directory.PartsField";
    static components = {CharField};
    static props = {...standardFieldProps};

    get lines() {
        return this.props.record.data[this.props.name].records;
    }

    getInputId(line) {
        return `${this.props.id || this.props.name}_${line.id}`;
    }
}

registry.category("fields").add("spar_parts", {
    component: PartsField,
    supportedTypes: ["one2many"],
    useSubView: true,
});
