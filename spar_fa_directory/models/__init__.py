from . import (
    res_groups,
    res_users,
    spar_fa_strategy,
    spar_fa_strategy_addresses,
    spar_fa_type,
    spar_fa_type_part,
    spar_fsp,
    spar_fsp_branch,
    spar_group_log,
)
