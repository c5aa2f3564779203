from . import (
    res_groups,
    res_users,
    spar_directory_search,
    spar_fa_strategy,
    spar_fa_strategy_addresses,
    spar_fa_type,
    spar_fa_type_part,
    spar_fsp,
    spar_fsp_branch,
    spar_fsp_search,
    spar_fsp_branch_search,
    spar_group_log,
)
