from odoo import models

from ..expressions import scheduled
from ..lib.waiting import SCHEDULE
from ..server.database import limited


class IrCron(models.Model):
    _name = "ir.cron"
    _inherit = ["ir.cron"]

    @classmethod
    def _process_job(cls, cron_cr, job):
        """Whatever a schedule waits for, it waits no longer than schedules may."""
        with limited(SCHEDULE), scheduled():
            return super()._process_job(cron_cr, job)
