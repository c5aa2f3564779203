import {RedirectWarningDialog} from "@web/core/errors/error_dialogs";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";

/** A refusal that offers the way on; its title says what holds. */
class RedirectionDialog extends RedirectWarningDialog {
    setup() {
        super.setup();
        this.title = _t("Nothing was changed");
    }
}

/** The client looks for the dialog of the class itself. */
for (const name of ["LookupReasonNeeded", "Redirection"]) {
    registry
        .category("error_dialogs")
        .add(`odoo.addons.spar_mapper.redirection.${name}`, RedirectionDialog);
}
