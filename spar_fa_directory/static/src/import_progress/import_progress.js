import {onMounted, onWillUnmount} from "@odoo/owl";
import {
    ProgressBarField,
    progressBarField,
} from "@web/views/fields/progress_bar/progress_bar_field";
import {registry} from "@web/core/registry";

const EVERY_MS = 2000;

/** A progress bar that follows a directory file while it is being loaded. */
export class ImportProgressField extends ProgressBarField {
    setup() {
        super.setup();
        onMounted(() => {
            this.timer = setInterval(() => this.follow(), EVERY_MS);
        });
        onWillUnmount(() => clearInterval(this.timer));
    }

    async follow() {
        const {record} = this.props;
        if (record.data.state === "waiting" && !(await record.isDirty())) {
            await record.load();
        }
    }
}

registry.category("fields").add("spar_import_progress", {
    ...progressBarField,
    component: ImportProgressField,
});
