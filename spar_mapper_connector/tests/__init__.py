from . import test_command_line
from . import test_contract
<<<<<<< HEAD
from . import test_directory_source
=======
from . import test_g2p_connect_acks
>>>>>>> i5b
from . import test_g2p_connect_codes
from . import test_g2p_connect_headers
from . import test_g2p_connect_items
from . import test_g2p_connect_openg2p_2
from . import test_g2p_connect_transactions
from . import test_g2p_connect_wire_json
from . import test_identifier
from . import test_outgoing
from . import test_jose_encryption
from . import test_jose_key_sets
from . import test_jose_keys
from . import test_jose_signatures
from . import test_jose_tokens
from . import test_lib_keyring
from . import test_rights
from . import test_second_person
from . import test_spar_id_type
from . import test_spar_keyring
from . import test_spar_keyring_command
from . import test_spar_mapper
from . import test_spar_mapper_backend
from . import test_spar_signing_key
from . import test_written_ids
