import {RPCCache} from "@web/core/network/rpc_cache";
import {patch} from "@web/core/utils/patch";

/** Calls whose answers contain no data of anybody: how actions and views look. */
const DEFINITIONS = new Set(["/web/action/load", "get_views", "fields_get"]);

/**
 * Core keeps the lists and forms that were opened, also on disk, and shows them before the
 * server answers: on a locked screen, after a role has ended, to whoever goes back. Here
 * the browser keeps definitions only.
 */
patch(RPCCache.prototype, {
    async read(table, key, fallback, settings = {}) {
        if (DEFINITIONS.has(table)) {
            return super.read(table, key, fallback, settings);
        }
        const result = await fallback();
        settings.callback?.(result, false);
        return result;
    },
});
