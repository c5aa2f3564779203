from odoo.tests import tagged

from odoo.addons.spar_registry_openg2p.tests.common import Openg2pCase
from odoo.addons.spar_registry_source.tests.payment_tests import PaymentTests


@tagged("post_install", "-at_install")
class TestOpeng2pPayments(PaymentTests, Openg2pCase):
    PREFIX = "g2p"
    MANAGER = "spar.openg2p.payment.manager"
    MANAGERS_FIELD = "payment_managers"
    PREPARERS = "g2p_programs.g2p_finance_validator"
