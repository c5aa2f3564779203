import {Record} from "@web/model/relational_model/record";
import {_t} from "@web/core/l10n/translation";
import {formatList} from "@web/core/l10n/utils";
import {patch} from "@web/core/utils/patch";

const INVALID = ".o_field_invalid:is(input, select, textarea), .o_field_invalid input";

function focusFirst() {
    const page = [...document.querySelectorAll(".modal")].at(-1) || document;
    page.querySelector(INVALID)?.focus();
}

/**
 * The message about required fields: it names them, and the first one has the focus.
 */
patch(Record.prototype, {
    _displayInvalidFieldNotification() {
        if (!this.resModel.startsWith("spar.")) {
            return super._displayInvalidFieldNotification();
        }
        const labels = [...this._invalidFields].map((name) => this.fields[name].string);
        // The fields are marked by the next drawing.
        setTimeout(focusFirst, 50);
        return this.model.notification.add(
            _t("Fill in or correct: %s", formatList(labels)),
            {type: "danger"}
        );
    },
});
