from . import (
    test_demo,
    test_fa_checks,
    test_fa_mask,
    test_fa_reader,
    test_fa_syntax,
    test_group_log,
    test_lib_doctests,
    test_rights,
    test_spar_fa_strategy,
    test_spar_fa_type,
    test_spar_fsp,
    test_views,
)
