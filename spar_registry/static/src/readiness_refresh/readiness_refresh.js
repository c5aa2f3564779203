import {Component, onMounted, onWillUnmount, xml} from "@odoo/owl";
import {registry} from "@web/core/registry";
import {standardWidgetProps} from "@web/views/widgets/standard_widget_props";

// While people are checked, the form shows how far it is.
const PAUSE = 2000;
const RUNNING = ["reading", "running"];

export class ReadinessRefresh extends Component {
    static template = xml`<span class="d-none" />`;
    static props = {...standardWidgetProps};

    setup() {
        onMounted(() => {
            this.timer = setInterval(() => this.refresh(), PAUSE);
        });
        onWillUnmount(() => clearInterval(this.timer));
    }

    async refresh() {
        const record = this.props.record;
        if (this.busy || document.hidden || !RUNNING.includes(record.data.state)) {
            return;
        }
        this.busy = true;
        try {
            await record.load();
        } finally {
            this.busy = false;
        }
    }
}

registry
    .category("view_widgets")
    .add("spar_readiness_refresh", {component: ReadinessRefresh});
