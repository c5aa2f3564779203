import {Component} from "@odoo/owl";
import {registry} from "@web/core/registry";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";

/**
 * Leaves a person for the next one: what was typed is destroyed, here and on the server,
 * and the empty box to find a person opens with no way back through the page's path.
 */
export class NextPerson extends Component {
    static template = "spar_mapper.NextPerson";
    static props = {...standardWidgetProps};

    async onClick() {
        // The menu of a phone destroys this button before the answer comes: services of
        // `useService` would then never answer.
        const {action: actions, orm} = this.env.services;
        const {record} = this.props;
        const ids = record.resId ? [record.resId] : [];
        await record.discard();
        const action = await orm.call(record.resModel, "action_next_person", [ids]);
        await actions.doAction(action, {clearBreadcrumbs: true});
    }
}

registry.category("view_widgets").add("spar_next_person", {component: NextPerson});
