import "@web/webclient/res_user_group_ids_field/res_user_group_ids_privilege_field";
import {CheckBox} from "@web/core/checkbox/checkbox";
import {patch} from "@web/core/utils/patch";
import {registry} from "@web/core/registry";

/**
 * A role of SPAR in the form of a user: a tick, because roles do not exclude each other.
 *
 * Odoo draws each privilege as a choice; see `lib/role_ticks.py` for those that are one
 * role each. A role that another one includes is ticked, and cannot be taken away alone.
 */
const {component} = registry.category("fields").get("res_user_group_ids_privilege");

component.components = {...component.components, CheckBox};
patch(component.prototype, {
    get isRole() {
        return this.props.name.startsWith("field_role_");
    },

    onTick(isTicked) {
        const {record, name} = this.props;
        const [groupId] = record.fields[name].selection.at(-1);
        record.update({[name]: isTicked ? groupId : false});
    },
});
