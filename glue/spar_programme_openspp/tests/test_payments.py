from odoo.tests import tagged

from odoo.addons.spar_registry_openspp.tests.common import OpensppCase
from odoo.addons.spar_registry_source.tests.payment_tests import PaymentTests


@tagged("post_install", "-at_install")
class TestOpensppPayments(PaymentTests, OpensppCase):
    PREFIX = "spp"
    MANAGER = "spar.openspp.payment.manager"
    MANAGERS_FIELD = "payment_manager_ids"
    PREPARERS = "spp_programs.group_programs_validator"
