import {RedirectWarningDialog} from "@web/core/errors/error_dialogs";
import {registry} from "@web/core/registry";

/** Refusals that offer the way on: the client looks for the dialog of the class itself. */
for (const name of ["LookupReasonNeeded", "Redirection"]) {
    registry
        .category("error_dialogs")
        .add(`odoo.addons.spar_mapper.redirection.${name}`, RedirectWarningDialog);
}
