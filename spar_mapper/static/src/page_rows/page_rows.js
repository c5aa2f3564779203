import {X2ManyField, x2ManyField} from "@web/views/fields/x2many/x2many_field";
import {registry} from "@web/core/registry";
import {useService} from "@web/core/utils/hooks";

/** Rows that open their own page, with its buttons, instead of a window with Save. */
export class PageRows extends X2ManyField {
    setup() {
        super.setup();
        this.orm = useService("orm");
        this.action = useService("action");
    }

    /** Open the page of a row. */
    async openRecord(record) {
        const ids = [record.resId];
        const action = await this.orm.call(
            record.resModel,
            "get_formview_action",
            [ids],
            {context: this.props.context}
        );
        await this.action.doAction(action);
    }
}

registry.category("fields").add("spar_page_rows", {
    ...x2ManyField,
    component: PageRows,
});
