import {Component, useState} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";
import {useRecordObserver} from "@web/model/relational_model/utils";
import {useService} from "@web/core/utils/hooks";

// A person's form is shown at once; the button fills when the mapper has answered.
const MAX_WAIT = 2000;

export class AddressButton extends Component {
    static template = "spar_registry.AddressButton";
    static props = {...standardWidgetProps};

    setup() {
        this.orm = useService("orm");
        this.shown = useState({state: "", text: ""});
        // Once at first, and after each save: it may have added an ID. The form does
        // not wait, so the promise is not returned.
        useRecordObserver((record) => {
            if (!record.dirty) {
                this.load(record.resId);
            }
        });
    }

    async load(resId) {
        Object.assign(this.shown, {state: "", text: ""});
        this.resId = resId;
        if (!resId) {
            return;
        }
        const late = new Promise((resolve) =>
            setTimeout(() => resolve(this.unavailable), MAX_WAIT)
        );
        const asked = this.orm.silent
            .call("res.partner", "get_spar_address", [[resId]])
            .catch(() => this.unavailable);
        const shown = await Promise.race([asked, late]);
        if (this.resId === resId) {
            Object.assign(this.shown, shown);
        }
    }

    get unavailable() {
        return {state: _t("Cannot be shown now"), text: ""};
    }
}

registry.category("view_widgets").add("spar_address", {component: AddressButton});
