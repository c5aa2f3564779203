import {Component} from "@odoo/owl";
import {registry} from "@web/core/registry";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";
import {useService} from "@web/core/utils/hooks";

/**
 * Leaves a person for the next one: what was typed is destroyed, here and on the server,
 * and the empty box to find a person opens with no way back through the page's path.
 */
export class NextPerson extends Component {
    static template = "spar_mapper.NextPerson";
    static props = {...standardWidgetProps};

    setup() {
        this.action = useService("action");
        this.orm = useService("orm");
    }

    async onClick() {
        const {record} = this.props;
        const ids = record.resId ? [record.resId] : [];
        await record.discard();
        const action = await this.orm.call(record.resModel, "action_next_person", [
            ids,
        ]);
        await this.action.doAction(action, {clearBreadcrumbs: true});
    }
}

registry.category("view_widgets").add("spar_next_person", {component: NextPerson});
