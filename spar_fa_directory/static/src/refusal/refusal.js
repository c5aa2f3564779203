import {RPCError} from "@web/core/network/rpc";
import {WarningDialog} from "@web/core/errors/error_dialogs";
import {_t} from "@web/core/l10n/translation";
import {registry} from "@web/core/registry";

const REFUSALS = ["AccessError", "MissingError", "UserError", "ValidationError"].map(
    (name) => `odoo.exceptions.${name}`
);

/** A refusal; its title says what holds, instead of the kind of error. */
export class RefusalDialog extends WarningDialog {
    inferTitle() {
        return _t("Nothing was changed");
    }
}

/** Chooses the dialog of a refusal of ours, which Odoo's own handler then opens. */
export function chooseRefusalDialog(_env, _error, originalError) {
    if (
        originalError instanceof RPCError &&
        originalError.model?.startsWith("spar.") &&
        REFUSALS.includes(originalError.exceptionName)
    ) {
        originalError.Component = RefusalDialog;
    }
    return false;
}

registry
    .category("error_handlers")
    .add("spar_refusal", chooseRefusalDialog, {sequence: 90});
