import {DateTimeField, dateField} from "@web/views/fields/datetime/datetime_field";
import {onPatched, useEffect, useRef, useState} from "@odoo/owl";
import {_t} from "@web/core/l10n/translation";
import {formatDate, parseDate} from "@web/core/l10n/dates";
import {registry} from "@web/core/registry";

const {DateTime} = luxon;

function isNoDate(text) {
    try {
        parseDate(text);
    } catch {
        return true;
    }
    return false;
}

/**
 * A date that is typed: a text that is none stays there, with what is wrong.
 *
 * Odoo would put the previous date in its place without a word, with the answer to it.
 */
export class DayField extends DateTimeField {
    static template = "spar_mapper.DayField";

    setup() {
        super.setup();
        this.root = useRef("root");
        this.typed = "";
        this.problem = useState({text: ""});
        onPatched(() => this.showTyped());
        // The calendar has closed, or there was none: what was typed is read.
        useEffect(
            (active) => {
                if (!active) {
                    this.keepTyped();
                }
            },
            () => [this.picker.activeInput]
        );
        useEffect(
            (element) => {
                const onChange = () => this.keepTyped();
                element?.addEventListener("change", onChange);
                return () => element?.removeEventListener("change", onChange);
            },
            () => [this.root.el]
        );
    }

    onInput({target}) {
        super.onInput();
        this.typed = target.value;
        if (this.problem.text) {
            this.problem.text = "";
            this.props.record.resetFieldValidity(this.props.name);
        }
    }

    async keepTyped() {
        const {name, record} = this.props;
        if (!this.typed || !isNoDate(this.typed)) {
            this.typed = "";
            return;
        }
        this.problem.text = _t("This is no date. Write it like %s.", this.example);
        if (record.data[name]) {
            await record.update({[name]: false});
        }
        record.setInvalidField(name);
        this.showTyped();
    }

    get example() {
        return formatDate(DateTime.local());
    }

    showTyped() {
        const input = this.root.el?.querySelector("input");
        if (this.problem.text && input && input.value !== this.typed) {
            input.value = this.typed;
        }
    }
}

registry.category("fields").add("spar_day", {...dateField, component: DayField});
